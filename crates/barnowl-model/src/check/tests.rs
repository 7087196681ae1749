use super::draw::Draw;
use super::gradient::Unrolled;
use super::smooth::Smooth;
use super::{Report, TOLERANCE};
use crate::builtin::{built_in, built_in_names};
use crate::model::Model;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

fn model(equations: &str, parameters: &str) -> Model {
    let text = format!("name = 'x'\nequations = '''\n{equations}\n'''\n{parameters}");
    Model::from_toml(&text).unwrap_or_else(|error| panic!("{error}"))
}

const ALPHA: &str = "[parameters.alpha]\nstart = 0.9\n";

fn first_fault(model: &Model) -> String {
    model.check().faults.first().map(|fault| fault.problem.clone()).unwrap_or_default()
}

#[test]
fn built_in_models_have_no_faults() {
    for name in built_in_names() {
        let report = built_in(&name).unwrap().check();
        assert!(report.faults.is_empty(), "{name}: {:?}", report.faults);
        assert!(report.gradient_error < 1e-6 && report.gradients > 10, "{name}: {report:?}");
        assert!(report.rheobase.is_some() && report.rate > 0.0, "{name}: {report:?}");
    }
}

#[test]
fn a_gradient_that_is_wrong_is_found() {
    let right = model("u = alpha*u' + I - s'\ns = spike(u - 1)", ALPHA);
    // The gradient of another reset.
    let other = model("u = alpha*u' + I - 0.99*s'\ns = spike(u - 1)", ALPHA);
    let mut unrolled = Unrolled::new(&right);
    let error = |unrolled: &Unrolled<'_>| {
        let compared = unrolled.compare(&[0.9, 1.0], 1.0, &mut Draw::new(1));
        compared.iter().map(|c| c.error).fold(0.0, f64::max)
    };
    assert!(error(&unrolled) < TOLERANCE);
    unrolled.step.adjoint = Smooth::new(other.step()).adjoint;
    assert!(error(&unrolled) > 1e-3);
}

#[test]
fn what_is_stopped_has_no_part_in_the_gradient() {
    let stopped = "u = stop(alpha)*u'*(1 - stop(s')) + I\ns = spike(u - alpha)";
    let report = model(stopped, ALPHA).check();
    assert!(report.faults.is_empty() && report.gradients == 16, "{report:?}");
}

#[test]
fn a_neuron_that_never_spikes() {
    let never = model("u = alpha*u' + tanh(I)\ns = spike(u - 100)", ALPHA);
    assert!(first_fault(&never).starts_with("it never spikes"), "{:?}", never.check());
    let always = model("u = alpha*u' + I\ns = spike(u + 1)", ALPHA);
    assert_eq!(always.check().remarks, ["it spikes without input"]);
    let negative = model("u = alpha*u' - max(-I, 0)\ns = spike(-1 - u)", ALPHA);
    assert_eq!(negative.check().remarks, ["only negative currents make it spike"]);
}

#[test]
fn states_that_grow() {
    let unstable = model("u = alpha*u' + I\ns = spike(u - 1)", "[parameters.alpha]\nstart = 1.1\n");
    assert!(first_fault(&unstable).contains("`u` grows without bound under"));
    // Without leak and reset, by as much at every step.
    let integrator = model("u = u' + alpha*I\ns = spike(u - 1)", ALPHA);
    let report = integrator.check();
    assert_eq!(report.faults.len(), 0, "{report:?}");
    assert!(report.remarks[0].starts_with("`u` still grows after 4000 steps"), "{report:?}");
}

#[test]
fn ranges_that_reach_too_far() {
    let root = |range: &str, trained: bool| {
        model(
            "u = sqrt(1 - alpha)*u' + I\ns = spike(u - 1)",
            &format!("[parameters.alpha]\nrange = {range}\nstart = 0.5\ntrained = {trained}\n"),
        )
        .check()
    };
    assert_eq!(root("[0, 0.9]", true).faults.len(), 0);
    let problems = |report: Report| -> Vec<String> {
        report.faults.into_iter().map(|fault| fault.problem).collect()
    };
    assert_eq!(
        problems(root("[0, 1]", true)),
        ["at the end of the range of `alpha`, 1, the gradient of `alpha` is -inf"]
    );
    let beyond = "at the end of the range of `alpha`, 2, the constant `sqrt(1 - alpha)` is NaN";
    assert_eq!(problems(root("[0, 2]", true)), [beyond]);
    assert_eq!(root("[0, 2]", false).remarks, [beyond]);
    let log = model("u = alpha*u' + log(alpha - 1)*I\ns = spike(u)", ALPHA);
    assert!(
        first_fault(&log).starts_with("with its parameters in the middle of how they start, the")
    );
}

#[test]
fn gradients_that_are_not_numbers() {
    // The gradient of √u at 0, which is where negative currents hold it.
    let root = model("u = sqrt(max(u', 0)) + I\ns = spike(u - 1)*alpha", ALPHA);
    let fault = first_fault(&root);
    assert!(fault.starts_with("the gradient of `I` is NaN at alpha = "), "{fault}");
}
