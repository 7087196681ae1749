//! Every update rule, with groups and clipping, against `torch.optim`.
//!
//! The numbers were written by `reference/optimizer_golden.py`.

use burn::module::ParamGroup;
use serde::Deserialize;

use super::toy::Toy;
use super::{GradientClipping, GroupedOptimizer, OptimizerConfig};

/// Parameters and gradients are `weight` [3, 2] row by row, then `log_tau` [2].
#[derive(Deserialize)]
struct Golden {
    initial: [f32; 8],
    gradients: Vec<[f32; 8]>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    optimizer: OptimizerConfig,
    learning_rate: f64,
    multiplier: f64,
    clipping: Option<GradientClipping>,
    /// After each step.
    parameters: Vec<[f32; 8]>,
}

fn split(values: &[f32; 8]) -> ([f32; 6], [f32; 2]) {
    let (weight, log_tau) = values.split_at(6);
    (weight.try_into().unwrap(), log_tau.try_into().unwrap())
}

#[test]
fn every_rule_follows_pytorch() {
    let golden: Golden =
        serde_json::from_str(include_str!("../../tests/data/optimizer.json")).unwrap();
    assert_eq!(golden.cases.len(), 15);
    let (weight, log_tau) = split(&golden.initial);
    for case in golden.cases {
        case.optimizer.validate("optimizer").unwrap();
        let mut optimizer = GroupedOptimizer::new(&case.optimizer)
            .with_group(ParamGroup::from_predicate("log_tau"), case.multiplier);
        if let Some(clipping) = case.clipping {
            optimizer = optimizer.with_clipping(clipping);
        }
        let mut toy = Toy::new(weight, log_tau);
        let tolerance = 3e-7;
        assert_eq!(case.parameters.len(), golden.gradients.len());
        for (step, (gradient, expected)) in
            golden.gradients.iter().zip(&case.parameters).enumerate()
        {
            let (weight, log_tau) = split(gradient);
            let gradients = toy.gradients(weight, log_tau);
            (toy, _) = optimizer.step(case.learning_rate, toy, gradients).unwrap();
            for (index, (bits, &expected)) in toy.bits().into_iter().zip(expected).enumerate() {
                let actual = f32::from_bits(bits);
                assert!(
                    (actual - expected).abs() <= tolerance * expected.abs().max(1.0),
                    "{:?}, step {step}, element {index}: {actual} is not {expected}",
                    case.optimizer,
                );
            }
        }
    }
}
