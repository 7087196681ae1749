//! The memory of an optimizer as named tensors, so that a checkpoint can restore it bit for bit.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::{DynState, StateSink, StateSource};
use burn::tensor::{Device, Tensor, TensorData};

use super::GroupedOptimizer;
use crate::error::{Error, Result};

/// What an optimizer remembers, under stable names: the parameter's path in the module, then the field, such as
/// `layers.0.recurrent.weight.momentum.moment_1`.
///
/// A parameter that was never updated has no entry. Where an update rule needs no memory (SGD without momentum), the
/// state is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OptimizerState {
    /// Moments and the like, f32, each of its parameter's shape.
    pub tensors: BTreeMap<String, TensorData>,
    /// Numbers of steps taken.
    pub counters: BTreeMap<String, u64>,
}

impl GroupedOptimizer {
    /// A copy of the optimizer's memory.
    ///
    /// # Panics
    ///
    /// If an update rule of one's own counts in other numbers than integers.
    #[must_use]
    pub fn state(&self) -> OptimizerState {
        let mut sink = StateSink::default();
        for (path, (id, state)) in &self.states {
            self.rule(*id, path).state_flatten(path, state, &mut sink);
        }
        OptimizerState {
            tensors: sink.tensors.into_iter().collect(),
            counters: (sink.scalars.into_iter())
                .map(|(name, scalar)| {
                    (name, scalar.try_into().expect("update rules count in integers"))
                })
                .collect(),
        }
    }

    /// Takes up the memory of an optimizer of the same configuration that trained a module of the same structure.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Mismatch`](crate::error::ErrorKind::Mismatch), naming the entry, if one is missing, unexpected or
    /// of another shape or type; the optimizer is unchanged then.
    pub fn restore<M: Module>(&mut self, state: OptimizerState, module: &M) -> Result<()> {
        let mut visitor = Restore {
            optimizer: self,
            left: state,
            states: BTreeMap::new(),
            path: Vec::new(),
            error: None,
        };
        module.visit(&mut visitor);
        let Restore { left, states, error, .. } = visitor;
        if let Some(error) = error {
            return Err(error);
        }
        if let Some(name) = left.tensors.keys().chain(left.counters.keys()).next() {
            return Err(mismatch(format!("the optimizer state has an entry {name}"))
                .expected("only entries of the network's parameters and the optimizer's kind"));
        }
        self.states = states;
        Ok(())
    }
}

fn mismatch(problem: String) -> Error {
    Error::mismatch(problem)
        .remedy("resume with the network and the optimizer that the checkpoint was written with")
}

/// The walk that gives every parameter its state back.
struct Restore<'a> {
    optimizer: &'a GroupedOptimizer,
    /// Entries that no parameter has claimed yet.
    left: OptimizerState,
    states: BTreeMap<String, (ParamId, DynState)>,
    path: Vec<String>,
    error: Option<Error>,
}

impl Restore<'_> {
    /// The state of the parameter of rank `D` at `path`, or `None` if it was never updated.
    ///
    /// What the state must hold is found by asking the update rule for one step with a gradient of zero.
    fn take<const D: usize>(
        &mut self,
        id: ParamId,
        path: &str,
        shape: [usize; D],
        device: &Device,
    ) -> Result<Option<DynState>> {
        let rule = self.optimizer.rule(id, path);
        let zeros = Tensor::<D>::zeros(shape, device);
        let (_, template) =
            rule.step_dyn(D, 0.0, zeros.clone().into_bridge(), zeros.into_bridge(), None);
        let mut expected = StateSink::default();
        if let Some(template) = template {
            rule.state_flatten(path, &template, &mut expected);
        }

        let mut tensors = Vec::new();
        let mut scalars = BTreeMap::new();
        let mut missing = None;
        for (name, like) in expected.tensors {
            let Some(data) = self.left.tensors.remove(&name) else {
                missing.get_or_insert(name);
                continue;
            };
            if data.shape() != like.shape() || data.dtype() != like.dtype() {
                let describe = |data: &TensorData| format!("{:?} {}", data.dtype(), data.shape());
                let problem = format!("the optimizer state {name} is {}", describe(&data));
                return Err(mismatch(problem).expected(describe(&like)));
            }
            tensors.push((name, data));
        }
        for (name, _) in expected.scalars {
            match self.left.counters.remove(&name) {
                Some(count) => _ = scalars.insert(name, count.into()),
                None => _ = missing.get_or_insert(name),
            }
        }
        if tensors.is_empty() && scalars.is_empty() {
            return Ok(None);
        }
        if let Some(name) = missing {
            return Err(mismatch(format!("the optimizer state has no entry {name}")));
        }

        let mut source = StateSource::new(scalars);
        for (name, data) in tensors {
            source.insert_tensor(name, data);
        }
        match rule.state_unflatten(D, path, &mut source, device) {
            Some(state) => Ok(Some(state)),
            None => Err(mismatch(format!("the optimizer state of {path} counts too many steps"))),
        }
    }
}

impl ModuleVisitor for Restore<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.error.is_some() {
            return;
        }
        let path = self.path.join(".");
        let device = param.device().without_autodiff();
        match self.take::<D>(param.id, &path, param.dims(), &device) {
            Ok(Some(state)) => _ = self.states.insert(path, (param.id, state)),
            Ok(None) => {}
            Err(error) => self.error = Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::optimizer::OptimizerConfig;
    use crate::optimizer::toy::Toy;

    /// Every kind, with everything that adds state switched on and off.
    fn kinds() -> Vec<OptimizerConfig> {
        [
            r#"{"kind": "adam"}"#,
            r#"{"kind": "adam", "weight_decay": 0.1}"#,
            r#"{"kind": "adamw"}"#,
            r#"{"kind": "sgd"}"#,
            r#"{"kind": "sgd", "momentum": 0.9, "weight_decay": 0.1}"#,
            r#"{"kind": "sgd", "momentum": 0.9, "nesterov": true}"#,
            r#"{"kind": "rmsprop"}"#,
            r#"{"kind": "rmsprop", "momentum": 0.5}"#,
            r#"{"kind": "adagrad", "lr_decay": 0.1}"#,
            r#"{"kind": "adamax", "weight_decay": 0.1}"#,
            r#"{"kind": "radam", "weight_decay": 0.1}"#,
        ]
        .map(|text| serde_json::from_str(text).unwrap())
        .to_vec()
    }

    /// Trains from step `from` up to `to` on gradients that depend on the step and on the parameters.
    fn train(optimizer: &mut GroupedOptimizer, mut toy: Toy, from: u8, to: u8) -> Toy {
        for step in from..to {
            let phase = f32::from(step);
            let loss = toy.weight.val().mul_scalar(1.0 + phase).sin().sum()
                + (toy.log_tau.val().exp().mul_scalar(0.1 * phase)).sum()
                + toy.weight.val().square().sum();
            let gradients = burn::optim::GradientsParams::from_grads(loss.backward(), &toy);
            (toy, _) = optimizer.step(0.01, toy, gradients).unwrap();
        }
        toy
    }

    fn toy() -> Toy {
        Toy::new([0.3, -0.7, 1.1, 0.0, 2.5, -1e-3], [3.0, 0.5])
    }

    #[test]
    fn a_restored_optimizer_continues_bit_for_bit() {
        for config in kinds() {
            let mut whole = GroupedOptimizer::new(&config);
            let expected = train(&mut whole, toy(), 0, 12);

            let mut first = GroupedOptimizer::new(&config);
            let half = train(&mut first, toy(), 0, 7);
            let (rebuilt, saved) = (half.rebuilt(), first.state());
            assert_ne!(rebuilt.weight.id, half.weight.id);
            let mut second = GroupedOptimizer::new(&config);
            second.restore(saved.clone(), &rebuilt).unwrap();
            assert_eq!(second.state(), saved);
            let resumed = train(&mut second, rebuilt, 7, 12);

            assert_eq!(resumed.bits(), expected.bits(), "{config:?}");
            assert_eq!(second.state(), whole.state(), "{config:?}");
        }
    }

    #[test]
    fn entries_are_named_by_path() {
        let mut optimizer = GroupedOptimizer::new(&OptimizerConfig::Adamax(Default::default()));
        train(&mut optimizer, toy(), 0, 3);
        let state = optimizer.state();
        let names: Vec<_> = state.tensors.keys().collect();
        let expected =
            ["log_tau.infinity_norm", "log_tau.moment", "weight.infinity_norm", "weight.moment"];
        assert_eq!(names, expected);
        let counters: Vec<_> = state.counters.into_iter().collect();
        assert_eq!(counters, [("log_tau.time".to_owned(), 3), ("weight.time".to_owned(), 3)]);
    }

    #[test]
    fn a_missing_entry_is_named_and_nothing_changes() {
        for config in kinds() {
            let mut optimizer = GroupedOptimizer::new(&config);
            let toy = train(&mut optimizer, toy(), 0, 3);
            let saved = optimizer.state();
            let per_parameter = (saved.tensors.len() + saved.counters.len()) / 2;
            for name in saved.tensors.keys().chain(saved.counters.keys()) {
                let mut cut = saved.clone();
                cut.tensors.remove(name);
                cut.counters.remove(name);
                // A parameter's only entry may be missing: then it was never updated.
                if per_parameter > 1 {
                    let error = optimizer.restore(cut, &toy).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Mismatch);
                    assert!(error.to_string().contains(&format!("no entry {name}")), "{error}");
                }
            }
            assert_eq!(optimizer.state(), saved);
        }
    }

    #[test]
    fn entries_of_another_network_or_kind_are_refused() {
        let mut adam = GroupedOptimizer::new(&OptimizerConfig::default());
        let toy = train(&mut adam, toy(), 0, 3);
        let saved = adam.state();
        let refuse = |state: OptimizerState, message: &str| {
            let error = GroupedOptimizer::new(&OptimizerConfig::default())
                .restore(state, &toy)
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Mismatch);
            assert!(error.to_string().contains(message), "{error}");
        };

        let name = "weight.momentum.moment_1";
        let mut state = saved.clone();
        state
            .tensors
            .insert("readout.bias.momentum.moment_1".into(), TensorData::zeros::<f32, _>([2]));
        refuse(state, "an entry readout.bias.momentum.moment_1");
        let mut state = saved.clone();
        state.counters.insert("weight.time".into(), 3);
        refuse(state, "an entry weight.time");
        for data in [
            TensorData::zeros::<f32, _>([2, 3]),
            TensorData::zeros::<f32, _>([6]),
            TensorData::zeros::<f64, _>([3, 2]),
        ] {
            let mut state = saved.clone();
            state.tensors.insert(name.into(), data);
            refuse(state, "weight.momentum.moment_1 is F");
        }

        let mut sgd = GroupedOptimizer::new(&OptimizerConfig::Sgd(Default::default()));
        sgd.restore(saved, &toy).unwrap_err();
        sgd.restore(OptimizerState::default(), &toy).unwrap();
    }
}
