//! Trials of a model: whether its gradient is right, its states stay finite and bounded, and it spikes at all.

mod draw;
mod gradient;
mod smooth;

use crate::model::Model;
use crate::source::{Parameter, Transform};
use crate::trial::{Neuron, rate, rheobase, value};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use draw::Draw;
use gradient::Unrolled;

/// The length of a step in all trials, in ms.
const DT: f64 = 1.0;
/// How many draws of parameters are tried.
const DRAWS: u64 = 8;
/// How far the adjoint and finite differences may lie apart.
const TOLERANCE: f64 = 1e-6;
/// Over how many steps spikes are counted.
const RATE: usize = 500;
/// How many steps states have to stay bounded for.
const LONG: usize = 4000;

/// What makes a model unfit for training.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What was found.
    pub problem: String,
    /// What to do.
    pub remedy: &'static str,
}

const LOOK: &str = "is the threshold within reach? `barnowl neurons plot` draws its states";
const LEAK: &str =
    "what multiplies a value of the step before, and feeds it, has to stay below 1 in size";
const AWAY: &str = "square roots, logarithms and divisions have no gradient at zero: keep their operands away from it";
const NARROW: &str = "narrow the range, so that training cannot come there";
const WRONG: &str = "this is an error of Barnowl's: please report it, with the file";

/// What trials of a model have shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// How many gradients were compared with central differences: of every parameter and of the input current, at several
    /// draws of parameters, through 40 steps in which spikes are smooth and their surrogate is exact.
    pub gradients: usize,
    /// The largest relative difference among those.
    pub gradient_error: f64,
    /// The smallest constant current that makes the neuron spike, its parameters in the middle of how they start.
    pub rheobase: Option<f64>,
    /// The current of the trials: twice the rheobase, or 2 where there is none.
    pub drive: f64,
    /// Spikes a step at that current, over the first 500 steps.
    pub rate: f64,
    /// The largest absolute value of any state, at currents of up to that in either direction.
    pub largest_state: f64,
    /// What makes the model unfit for training.
    pub faults: Vec<Fault>,
    /// What may be meant.
    pub remarks: Vec<String>,
}

impl Model {
    /// Tries the model: compares its gradient with finite differences, and runs it under many currents, with
    /// parameters drawn within their ranges and at the ends of these.
    ///
    /// ```
    /// let report = barnowl_model::built_in("alif")?.check();
    /// assert!(report.faults.is_empty() && report.gradient_error < 1e-6);
    /// # Ok::<(), barnowl_model::Error>(())
    /// ```
    #[must_use]
    pub fn check(&self) -> Report {
        let mut report = Report::default();
        let middle = self.middle();
        if let Some(problem) = not_finite(self, &middle, 1.0) {
            let problem = format!("with its parameters in the middle of how they start, {problem}");
            report.faults.push(Fault { problem, remedy: AWAY });
            return report;
        }
        report.rheobase = rheobase(self, &middle, DT);
        let drive = 2.0 * report.rheobase.filter(|current| *current != 0.0).unwrap_or(1.0);
        report.drive = drive;
        self.spikes(&middle, drive, &mut report);
        self.gradients(drive, &mut report);
        self.edges(&middle, drive, &mut report);
        self.bounds(&middle, drive, &mut report);
        report
    }

    fn spikes(&self, middle: &[f64], drive: f64, report: &mut Report) {
        match report.rheobase {
            None => report.faults.push(Fault {
                problem:
                    "it never spikes at constant currents of up to a million, in either direction"
                        .into(),
                remedy: LOOK,
            }),
            Some(0.0) => report.remarks.push("it spikes without input".into()),
            Some(current) if current < 0.0 => {
                report.remarks.push("only negative currents make it spike".into());
            }
            Some(_) => {}
        }
        report.rate = rate(self, middle, DT, drive, 0, RATE);
    }

    fn gradients(&self, drive: f64, report: &mut Report) {
        let unrolled = Unrolled::new(self);
        let mut folds = 0;
        for seed in 0..DRAWS {
            let mut draw = Draw::new(seed);
            let mut parameters: Vec<f64> =
                self.parameters().iter().map(|parameter| draw.parameter(parameter)).collect();
            let about = self.shown(&parameters);
            parameters.push(DT);
            for compared in unrolled.compare(&parameters, drive, &mut draw) {
                let of = &compared.of;
                if !compared.adjoint.is_finite() {
                    let problem =
                        format!("the gradient of `{of}` is {} at {about}", compared.adjoint);
                    report.faults.push(Fault { problem, remedy: AWAY });
                } else if !compared.difference.is_finite() || compared.unsettled > TOLERANCE {
                    folds += 1;
                } else {
                    report.gradients += 1;
                    report.gradient_error = report.gradient_error.max(compared.error);
                    if compared.error > 10.0 * TOLERANCE {
                        let problem = format!(
                            "the gradient of `{of}` is {} by the adjoint and {} by central differences, at {about}",
                            compared.adjoint, compared.difference
                        );
                        report.faults.push(Fault { problem, remedy: WRONG });
                    }
                }
            }
            if !report.faults.is_empty() {
                return;
            }
        }
        if folds > report.gradients {
            report.remarks.push(format!(
                "{folds} of {} gradients could not be compared: finite differences do not settle there",
                folds + report.gradients
            ));
        }
    }

    /// Parameters at the ends of their ranges, one at a time.
    fn edges(&self, middle: &[f64], drive: f64, report: &mut Report) {
        for (number, parameter) in self.parameters().iter().enumerate() {
            for edge in edges(parameter) {
                let mut parameters = middle.to_vec();
                parameters[number] = edge;
                let Some(problem) = not_finite(self, &parameters, drive) else { continue };
                let name = &parameter.name.text;
                let problem = format!("at the end of the range of `{name}`, {edge}, {problem}");
                if parameter.trained {
                    report.faults.push(Fault { problem, remedy: NARROW });
                } else {
                    report.remarks.push(problem);
                }
            }
        }
    }

    /// States under bounded currents, for long.
    fn bounds(&self, middle: &[f64], drive: f64, report: &mut Report) {
        let constant =
            |part: f64| (format!("a current of {:.4}", part * drive), vec![part * drive; LONG]);
        let mut currents: Vec<(String, Vec<f64>)> =
            [1.0, 0.5, -0.5, -1.0].into_iter().map(constant).collect();
        currents.push((format!("a current that swings between ±{:.4}", drive.abs()), sweep(drive)));
        let mut told = vec![false; self.states().len()];
        for (what, currents) in currents {
            let quarters = self.largest(middle, &currents);
            for (i, state) in self.states().iter().enumerate() {
                let [_, second, third, last] = quarters.each_ref().map(|quarter| quarter[i]);
                report.largest_state = report.largest_state.max(last);
                let grows = third > 1.15 * second && last > 1.4 * second && last > 1e-6;
                if told[i] || !(grows || last.is_infinite()) {
                    continue;
                }
                told[i] = true;
                if last > 4.0 * second || last.is_infinite() {
                    let problem = format!("`{}` grows without bound under {what}", state.name);
                    report.faults.push(Fault { problem, remedy: LEAK });
                } else {
                    let remark =
                        format!("`{}` still grows after {LONG} steps of {what}", state.name);
                    report.remarks.push(remark);
                }
            }
        }
    }

    /// The largest absolute value of every state in each quarter of a run.
    fn largest(&self, parameters: &[f64], currents: &[f64]) -> [Vec<f64>; 4] {
        let mut neuron = Neuron::new(self, parameters, DT);
        let mut quarters = [(); 4].map(|()| vec![0.0; self.states().len()]);
        for (t, &current) in currents.iter().enumerate() {
            neuron.step(current);
            let quarter = &mut quarters[4 * t / currents.len()];
            for (most, x) in quarter.iter_mut().zip(neuron.states()) {
                // A value that is no number is larger than any.
                *most = if x.is_nan() { f64::INFINITY } else { f64::max(*most, x.abs()) };
            }
        }
        quarters
    }

    /// Parameters and their values, in words.
    fn shown(&self, parameters: &[f64]) -> String {
        let each = self.parameters().iter().zip(parameters);
        let each: Vec<String> = each.map(|(p, x)| format!("{} = {x:.4}", p.name.text)).collect();
        each.join(", ")
    }
}

/// A current that swings faster and faster, from once in 500 steps to once in 5, in every quarter anew.
fn sweep(size: f64) -> Vec<f64> {
    let quarter = LONG / 4;
    let mut phase = 0.0;
    (0..LONG)
        .map(|t| {
            let part = (t % quarter) as f64 / quarter as f64;
            phase += core::f64::consts::TAU / (500.0 * libm::pow(0.01, part));
            size * libm::sin(phase)
        })
        .collect()
}

/// The ends of a parameter's range that it may take.
fn edges(parameter: &Parameter) -> Vec<f64> {
    let (low, high) = parameter.range;
    let open = parameter.transform == Transform::Log && low <= 0.0;
    let ends = [(low, !open), (high, true)].into_iter();
    ends.filter(|(end, taken)| end.is_finite() && *taken).map(|(end, _)| f64::from(end)).collect()
}

/// The first constant, state or gradient that is not a finite number within 300 steps, if any. What is computed once an
/// update is tried in single precision, as it is trained.
fn not_finite(model: &Model, parameters: &[f64], current: f64) -> Option<String> {
    let given: Vec<f32> = parameters.iter().chain([&DT]).map(|&x| x as f32).collect();
    let constants = value(model.constants(), &given);
    let names = model.constant_names();
    if let Some((name, x)) = names.iter().zip(&constants).find(|(_, x)| !x.is_finite()) {
        return Some(format!("the constant `{name}` is {x}"));
    }
    let mut neuron = Neuron::new(model, parameters, DT);
    for step in 0..=300 {
        let mut states = model.states().iter().zip(neuron.states());
        if let Some((state, x)) = states.find(|(_, x)| !x.is_finite()) {
            return Some(format!("the state `{}` is {x} after {step} steps", state.name));
        }
        neuron.step(current);
    }
    // Through every constant alike.
    let ones = vec![1.0; constants.len()];
    let gradient = value(&model.constants().adjoint(), &[&given[..], &ones].concat());
    let mut each = model.parameters().iter().zip(gradient);
    let (parameter, x) = each.find(|(_, x)| !x.is_finite())?;
    Some(format!("the gradient of `{}` is {x}", parameter.name.text))
}

#[cfg(all(test, feature = "file"))]
mod tests;
