//! Several forms of a model in one file, and the value that a readout is decoded from.

#![cfg(feature = "file")]

use barnowl_model::{Model, Source, Variant, built_in};

/// A file of two variants, of which one uses `theta` and `w`, and the other `q`.
const VARIANTS: &str = r#"name = "lif"
membrane = "u"
[variants.soft]
equations = """
w = s' - w'
u = alpha*u' + I - theta*w
s = spike(u - 1)
"""
[variants.hard]
description = "A spike sets u to zero."
equations = """
u = alpha*u'*(1 - s') + I - q
s = spike(u - 1)
"""
[constants]
alpha = "exp(-dt/tau_m)"
[parameters.tau_m]
start = 20
[parameters.theta]
start = 1
[parameters.q]
start = 0
[values.w]
description = "current of the reset"
rest = "theta"
"#;

#[test]
fn a_variant_has_what_it_uses() {
    let source = Source::from_toml(VARIANTS).expect("a right file");
    let names = |model: &Model| -> Vec<String> {
        model.parameters().iter().map(|known| known.name.text.clone()).collect()
    };
    let soft = Model::build(source.clone()).expect("a right model");
    assert_eq!((soft.name(), names(&soft)), ("lif", vec!["tau_m".into(), "theta".into()]));
    let hard = Model::build_variant(source.clone(), "hard").expect("a right variant");
    assert_eq!((hard.name(), names(&hard)), ("lif:hard", vec!["tau_m".into(), "q".into()]));
    assert_eq!((hard.title().as_str(), hard.states().len()), ("A spike sets u to zero.", 2));
    let first = Model::build_variant(source, "soft").expect("the first variant");
    assert_eq!((first.name(), first.step()), ("lif", soft.step()));
}

#[test]
fn variants_that_cannot_be() {
    let of = |from: &str, to: &str| {
        assert!(VARIANTS.contains(from));
        match Model::from_toml(&VARIANTS.replace(from, to)) {
            Ok(_) => panic!("a file that is wrong was read"),
            Err(error) => error.to_string(),
        }
    };
    // A fault of any variant is one of the file.
    assert_eq!(
        of("+ I - q", "+ I - p*q"),
        "line 12, column 29: `p` is not known; give it in an equation, \
        [constants] or [parameters]"
    );
    // What no variant uses.
    assert_eq!(of("+ I - q", "+ I"), "line 21, column 13: no equation uses the parameter `q`");
    assert_eq!(
        of("[values.w]", "[values.z]"),
        "line 23, column 9: `z` is described, but no line of the equations computes it"
    );
    assert_eq!(
        of("w = s' - w'", "w = s'"),
        "line 23, column 9: `w` is no state: no line uses `w'`, and its value at rest would have no effect"
    );
    assert_eq!(
        of("s.hard]", "s.2]"),
        "line 9, column 11: `2` cannot name a variant; names are of the \
        letters a to z, digits and _, a letter first"
    );
    assert_eq!(
        of("[variants.soft]", "equations = ''\n[variants.soft]"),
        "line 4, column 11: the variant `soft` beside equations of no variant; give these a name too: \
         [variants.NAME]"
    );
    let missing = Model::from_toml("name = \"lif\"\n").unwrap_err().to_string();
    assert_eq!(missing, "line 1, column 1: missing field `equations`");
    let built = |variants: &[&str]| {
        let mut source = Source::from_toml(VARIANTS).expect("a right file");
        source.variants = variants.iter().map(|text| Variant::only(*text)).collect();
        Model::build(source).unwrap_err().to_string()
    };
    assert_eq!(built(&[]), "line 1, column 8: a model without equations");
    assert_eq!(built(&["u = I", "u = I"]), "line 1, column 1: a variant without a name");
}

#[test]
fn the_membrane_is_a_value_of_the_equations() {
    let with = |membrane: &str| {
        Model::from_toml(&format!(
            "name = 'lif'\n{membrane}\nequations = \"\"\"\nmemb = 0.5*low' + I\ns = spike(memb - 1)\nlow = \
             memb*(1 - s)\nnext = memb + s\n\"\"\"\n"
        ))
    };
    // What only a readout reads has an effect, and nothing else may have none.
    let model = with("membrane = 'next'").expect("a right model");
    assert_eq!(model.membrane(), Some("next"));
    assert_eq!(model.equations()[3], "next = memb + s");
    assert_eq!(
        with("").unwrap_err().to_string(),
        "line 7, column 1: `next` is computed and no equation uses it"
    );
    // I, low'.
    let mut outputs = [0.0; 3];
    let program = model.step_and_membrane().expect("it has one");
    program.run(&[2.0_f32, 1.0], &mut outputs, |_| 0.0);
    assert_eq!(outputs, [0.0, 1.0, 3.5]);
    assert_eq!(model.step().outputs().len(), 2);
    assert_eq!(
        with("membrane = 'mebm'").unwrap_err().to_string(),
        "line 2, column 13: the membrane is `mebm`, which no line of the equations computes; did you mean \
         `memb`?"
    );
    let without = built_in("lif").unwrap().source().clone();
    let without = Model::build(Source { membrane: None, ..without }).expect("a right model");
    assert!(without.membrane().is_none() && without.step_and_membrane().is_none());
}
