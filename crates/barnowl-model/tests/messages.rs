//! Every way in which a model can be wrong says where and what, and what to do.

#![cfg(feature = "file")]

use barnowl_model::{Model, Parameter, Source, Start, Text, Transform, Variant};

/// A model that is right, of which `equations` are the step.
fn lif(equations: &str) -> Source {
    Source {
        name: Text::new("lif"),
        title: String::new(),
        source: String::new(),
        variants: vec![Variant::only(equations)],
        membrane: None,
        constants: vec![constant("alpha", "exp(-dt/tau_m)")],
        parameters: vec![Parameter::new("tau_m", 20.0), Parameter::new("theta", 1.0)],
        values: Vec::new(),
    }
}

fn constant(name: &str, expression: &str) -> barnowl_model::Definition {
    barnowl_model::Definition { name: Text::new(name), expression: Text::new(expression) }
}

const RIGHT: &str = "u = alpha*u' + I - theta*s'\ns = spike(u - theta)";

fn message(source: Source) -> String {
    match Model::build(source) {
        Ok(_) => panic!("a model that is wrong was built"),
        Err(error) => error.to_string(),
    }
}

/// The message about these equations.
fn of_equations(equations: &str) -> String {
    message(lif(equations))
}

/// The message about this expression in place of `u`'s.
fn of_expression(expression: &str) -> String {
    of_equations(&format!("u = {expression}\ns = spike(u - theta)"))
}

#[test]
fn the_model_that_the_tests_spoil_is_right() {
    Model::build(lif(RIGHT)).expect("a right model");
}

#[test]
fn unknown_words_name_the_nearest() {
    assert_eq!(
        of_expression("alhpa*u' + I"),
        "line 1, column 5: `alhpa` is not known; did you mean `alpha`?"
    );
    assert_eq!(
        of_expression("alpha*u' + zzz"),
        "line 1, column 16: `zzz` is not known; give it in an equation, [constants] or [parameters]"
    );
    assert_eq!(
        of_expression("alpha*u' + i"),
        "line 1, column 16: `i` is not known; the input current is `I`"
    );
    assert_eq!(
        of_expression("alpha*tahn(u')"),
        "line 1, column 11: the function `tahn` is not known; did you mean `tanh`?"
    );
    assert_eq!(
        of_expression("alpha(u' + I)"),
        "line 1, column 5: the function `alpha` is not known; the functions are abs, exp, expm1, log, \
         max, min, sigmoid, spike, sqrt, stop, tanh; between values a * is written"
    );
}

#[test]
fn a_value_that_is_used_before_it_is_computed() {
    assert_eq!(
        of_equations("s = spike(u - theta)\nu = alpha*u' + I"),
        "line 1, column 11: `u` is used before it is computed, in line 2; move that line up, or write `u'` \
         for the value of the step before"
    );
    let mut source = lif(RIGHT);
    source.constants.insert(0, constant("leak", "1 - alpha"));
    assert_eq!(
        message(source),
        "line 1, column 5: `alpha` is used before it is computed, in line 1; move it up"
    );
}

#[test]
fn a_state_without_a_next_value() {
    assert_eq!(
        of_expression("alpha*u' + I - w'"),
        "line 1, column 20: `w'` is the value of the step before, but no line computes `w`; a state needs \
         its next value: `w = …`"
    );
    assert_eq!(
        of_equations("memb = alpha*memb' + I - menb'\ns = spike(memb - theta)"),
        "line 1, column 26: `menb'` is the value of the step before, but no line computes `menb`; did you \
         mean `memb'`?"
    );
    assert_eq!(
        of_expression("alpha*u' + I'"),
        "line 1, column 16: the input current of the step before is not kept; give it a name: `i = I`, \
         then `i'`"
    );
    assert_eq!(
        of_expression("alpha'*u' + I"),
        "line 1, column 5: `alpha'` is the same at every step; write `alpha`"
    );
    assert_eq!(
        of_equations("u' = alpha*u'\ns = spike(u - theta)"),
        "line 1, column 1: `u'` is the value of the step before, which is over; write `u = …`"
    );
}

#[test]
fn a_constant_that_depends_on_a_state() {
    for (expression, word) in [("1 - u", "u"), ("1 - u'", "u'"), ("1 - I", "I")] {
        let mut source = lif(RIGHT);
        source.constants[0] = constant("alpha", expression);
        assert_eq!(
            message(source),
            format!(
                "line 1, column 5: the constant `alpha` depends on `{word}`, which changes at every step; \
                 it is computed from parameters, dt and constants alone"
            )
        );
    }
}

#[test]
fn a_neuron_that_emits_nothing() {
    assert_eq!(
        of_equations("u = alpha*u' + I - theta*tau_m"),
        "line 1, column 1: no line computes `s`, which is what the neuron emits; write `s = spike(v - \
         theta)`, or what spikes here"
    );
    assert_eq!(
        of_equations("u = alpha*u' + I\ns = u - theta"),
        "line 2, column 1: no line has a `spike` of a value that changes: this neuron never spikes; write \
         `s = spike(v - theta)`, or what spikes here"
    );
    assert_eq!(
        of_equations("u = alpha*u' + I\ns = u*spike(theta)"),
        "line 2, column 7: a `spike` of a value that never changes"
    );
}

#[test]
fn numbers_that_cannot_be() {
    assert_eq!(of_expression("u'/(2 - 2)"), "line 1, column 7: a division by zero");
    assert_eq!(of_expression("u'/0"), "line 1, column 7: a division by zero");
    assert_eq!(of_expression("1e99*u'"), "line 1, column 5: 1e99 is too large for a number");
    assert_eq!(of_expression(".*u'"), "line 1, column 5: `.` is not a number");
    assert_eq!(
        of_expression("u' + log(0)"),
        "line 1, column 10: this comes to -inf, which is not a finite number"
    );
}

#[test]
fn parameters_whose_start_leaves_their_range() {
    let with = |change: &dyn Fn(&mut Parameter)| {
        let mut source = lif(RIGHT);
        change(&mut source.parameters[0]);
        message(source)
    };
    assert_eq!(
        with(&|tau| tau.range = (30.0, 50.0)),
        "line 1, column 1: `tau_m` starts at 20, which leaves its range, 30 to 50"
    );
    assert_eq!(
        with(&|tau| (tau.range, tau.start) = ((5.0, 25.0), Start::Uniform(10.0, 30.0))),
        "line 1, column 1: `tau_m` starts at 10 to 30, which leaves its range, 5 to 25"
    );
    assert_eq!(
        with(&|tau| (tau.range, tau.start) = ((5.0, 25.0), Start::Normal(30.0, 1.0))),
        "line 1, column 1: `tau_m` starts at 30 on average, which leaves its range, 5 to 25"
    );
    assert_eq!(
        with(&|tau| {
            (tau.transform, tau.range) = (Transform::Log, (0.0, f32::INFINITY));
            tau.start = Start::Value(0.0);
        }),
        "line 1, column 1: `tau_m` starts at 0, which leaves its range, 0 to inf, of which only what is \
         positive has a logarithm"
    );
    assert_eq!(
        with(&|tau| tau.range = (5.0, 1.0)),
        "line 1, column 1: the range of `tau_m`, 5 to 1, is empty"
    );
    assert_eq!(
        with(&|tau| tau.range = (f32::NAN, 1.0)),
        "line 1, column 1: the range of `tau_m`, NaN to 1, is empty"
    );
    assert_eq!(
        with(&|tau| (tau.transform, tau.range) = (Transform::Log, (-2.0, -1.0))),
        "line 1, column 1: `tau_m` has a logarithm only where it is positive, and its range ends at -1"
    );
    assert_eq!(
        with(&|tau| tau.transform = Transform::Interval),
        "line 1, column 1: `tau_m` is trained within an interval, and its range, -inf to inf, has an open end"
    );
    assert_eq!(
        with(&|tau| tau.start = Start::Uniform(3.0, 2.0)),
        "line 1, column 1: `tau_m` starts between 3 and 2: the smaller comes first"
    );
    assert_eq!(
        with(&|tau| tau.start = Start::Normal(3.0, -2.0)),
        "line 1, column 1: `tau_m` starts with a standard deviation of -2, which is none"
    );
}

#[test]
fn names_that_are_given_twice_or_taken() {
    assert_eq!(
        of_equations("u = alpha*u' + I\nu = u*2\ns = spike(u - theta)"),
        "line 2, column 1: the name `u` is given twice, first in line 1"
    );
    assert_eq!(
        of_equations("theta = alpha*theta' + I\ns = spike(theta)"),
        "line 1, column 1: the name `theta` is given twice, first in line 1"
    );
    let taken = |name: &str| {
        let mut source = lif(RIGHT);
        source.parameters.push(Parameter::new(name, 1.0));
        message(source)
    };
    for (name, what) in [
        ("I", "the input current"),
        ("dt", "the length of a step"),
        ("s", "what the neuron emits"),
        ("exp", "a function"),
    ] {
        assert_eq!(
            taken(name),
            format!("line 1, column 1: the name `{name}` is taken: it is {what}")
        );
    }
    assert_eq!(
        taken("2b"),
        "line 1, column 1: `2b` cannot name a parameter; names are of the letters a to z, digits and _, a \
         letter first"
    );
}

#[test]
fn what_has_no_effect() {
    assert_eq!(
        of_equations("u = alpha*u' + I\nw = 2*u\ns = spike(u - theta)"),
        "line 2, column 1: `w` is computed and no equation uses it"
    );
    let mut source = lif(RIGHT);
    source.parameters.push(Parameter::new("q", 1.0));
    assert_eq!(message(source), "line 1, column 1: no equation uses the parameter `q`");
    let mut source = lif(RIGHT);
    source.constants.push(constant("rho", "1 - alpha"));
    assert_eq!(message(source), "line 1, column 1: no equation uses the constant `rho`");
}

#[test]
fn expressions_that_are_not_finished_or_go_on() {
    for (expression, expected) in [
        ("alpha*u' +", "line 1, column 15: the line ends where a value is expected"),
        ("alpha*(u' + I", "line 1, column 11: a `(` that is not closed"),
        ("alpha*u') + I", "line 1, column 13: a `)` that closes nothing"),
        ("2 u'", "line 1, column 7: `u'` after a value, where a sign such as * or + is expected"),
        ("alpha*/u'", "line 1, column 11: `/` where a value is expected"),
        ("exp*u'", "line 1, column 5: `exp` is a function: write exp(…)"),
        ("min(u')", "line 1, column 5: `min` takes two values: min(a, b)"),
        ("max(u', I, 1)", "line 1, column 14: `max` takes two values: max(a, b)"),
        ("exp(u', I)", "line 1, column 11: `exp` takes one value"),
        ("exp(u' I)", "line 1, column 12: `I` where a `)` is expected"),
        ("u'^2", "line 1, column 7: `^` is not known; write x*x for a power of x"),
        ("u'**2", "line 1, column 7: `**` is not known; write x*x for a power of x"),
        ("u' = I", "line 1, column 8: a second `=` in a line"),
        (
            "α*u'",
            "line 1, column 5: `α` has no meaning here; names are of the letters a to z, digits and _",
        ),
        (
            "u '",
            "line 1, column 7: a ' without a name; it stands right after one: `u'` is the value of u of the \
             step before",
        ),
    ] {
        assert_eq!(of_expression(expression), expected);
    }
    assert_eq!(
        of_equations("u + 1"),
        "line 1, column 1: a line of the equations is `name = expression`"
    );
}

#[test]
fn what_is_too_large() {
    let deep = format!("{}u'{}", "(".repeat(200), ")".repeat(200));
    assert_eq!(
        of_expression(&deep),
        "line 1, column 69: more than 64 levels in one another; name a part of it on a line before"
    );
    assert_eq!(
        of_expression(&"-".repeat(300)),
        "line 1, column 69: more than 64 levels in one another; name a part of it on a line before"
    );
    assert_eq!(
        of_expression(&vec!["u'"; 2000].join("+")),
        "line 1, column 770: more than 512 words and signs in a line; name a part of it on a line before"
    );
    let mut lines = String::from("x0 = alpha*x0' + I\n");
    for i in 1..3000 {
        lines += &format!("x{i} = {i}.5*x{} + theta\n", i - 1);
    }
    let message = of_equations(&format!("{lines}s = spike(x2999)"));
    assert!(message.ends_with("a model of more than 4096 operations"), "{message}");
}

#[test]
fn what_is_said_of_the_values() {
    let described = |name: &str, rest: Option<&str>| {
        let mut source = lif("v = alpha*u' + I\ns = spike(v - theta)\nu = v*(1 - s)");
        source.values.push(barnowl_model::Documented {
            name: Text::new(name),
            description: String::new(),
            unit: String::new(),
            rest: rest.map(Text::new),
        });
        message(source)
    };
    assert_eq!(
        described("w", None),
        "line 1, column 1: `w` is described, but no line of the equations computes it"
    );
    let mut twice = lif(RIGHT);
    let described_u = barnowl_model::Documented {
        name: Text::new("u"),
        description: String::new(),
        unit: String::new(),
        rest: None,
    };
    twice.values = vec![described_u.clone(), described_u];
    assert_eq!(message(twice), "line 1, column 1: `u` is described twice");
    assert_eq!(
        described("v", Some("1")),
        "line 1, column 1: `v` is no state: no line uses `v'`, and its value at rest would have no effect"
    );
    assert_eq!(
        described("u", Some("v")),
        "line 1, column 1: the value of `u` at rest depends on `v`, which changes at every step; it is \
         computed from parameters, dt and constants alone"
    );
    assert_eq!(
        described("u", Some("")),
        "line 1, column 1: an expression is expected, and there is none"
    );
    assert_eq!(
        described("u", Some("1\n2")),
        "line 2, column 1: an expression that stands by itself has one line"
    );
}
