//! One optimizer step over a whole module, with a learning rate for each parameter group.
//!
//! Burn's update rules are used as they are; the walk over the module is ours, because Burn's own keeps its state
//! under random parameter ids, skips in silence what it cannot restore, and clips each parameter by itself. Here the
//! state is kept under the parameter's *path* in the module (`layers.0.log_tau_m`), which is the same in every
//! process.

use std::collections::BTreeMap;
use std::fmt;

use burn::module::{Module, ModuleMapper, Param, ParamGroup, ParamId};
use burn::optim::{DynOptimizer, DynState, GradientsParams};
use burn::tensor::{Device, Tensor};

use super::clipping::{Squares, diverged, name_in_files};
use super::{GradientClipping, OptimizerConfig, gradient_norm};
use crate::error::Result;

/// Updates the parameters of a module from their gradients.
///
/// Build it once, call [`step`](Self::step) for every mini-batch; [`state`](Self::state) and
/// [`restore`](Self::restore) carry its memory over a restart.
pub struct GroupedOptimizer {
    rule: Box<dyn DynOptimizer>,
    /// Rules of groups that have their own.
    rules: Vec<(ParamGroup, Box<dyn DynOptimizer>)>,
    /// With the id of the parameter, by its path.
    pub(super) states: BTreeMap<String, (ParamId, DynState)>,
    groups: Vec<(ParamGroup, f64)>,
    clipping: Option<GradientClipping>,
    /// Steps since the last [`sweep`].
    unswept: usize,
}

impl fmt::Debug for GroupedOptimizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupedOptimizer")
            .field("states", &self.states.keys())
            .field("groups", &self.groups)
            .field("clipping", &self.clipping)
            .finish_non_exhaustive()
    }
}

impl GroupedOptimizer {
    /// An optimizer without memory; the same learning rate for all parameters and no clipping.
    #[must_use]
    pub fn new(config: &OptimizerConfig) -> Self {
        Self::of(config.build())
    }

    /// The same, by an update rule of one's own: every [`Optimizer`](burn::optim::Optimizer) of Burn is one.
    #[must_use]
    pub fn of(rule: Box<dyn DynOptimizer>) -> Self {
        Self {
            rule,
            rules: Vec::new(),
            states: BTreeMap::new(),
            groups: Vec::new(),
            clipping: None,
            unswept: 0,
        }
    }

    /// Multiplies the learning rate of the parameters in `group`; where groups overlap, the last one counts.
    ///
    /// Groups match by path, such as [`ParamGroup::from_predicate("log_tau")`](ParamGroup::from_predicate), or by id.
    #[must_use]
    pub fn with_group(mut self, group: ParamGroup, multiplier: f64) -> Self {
        self.groups.push((group, multiplier));
        self
    }

    /// Updates the parameters in `group` by another rule, such as one with another weight decay; where groups overlap, the
    /// last one counts.
    #[must_use]
    pub fn with_rule(mut self, group: ParamGroup, rule: Box<dyn DynOptimizer>) -> Self {
        self.rules.push((group, rule));
        self
    }

    /// Bounds the gradients before every step.
    #[must_use]
    pub fn with_clipping(mut self, clipping: GradientClipping) -> Self {
        self.clipping = Some(clipping);
        self
    }

    /// Updates every parameter that has a gradient, and returns the module with the gradients' norm *before* clipping.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Divergence`](crate::error::ErrorKind::Divergence), naming the parameter, if a gradient is not
    /// finite (nothing has been updated then) or an updated parameter is not (drop the optimizer as well). A module
    /// that is returned is finite throughout.
    pub fn step<M: Module>(
        &mut self,
        learning_rate: f64,
        module: M,
        mut gradients: GradientsParams,
    ) -> Result<(M, f64)> {
        let norm = gradient_norm(&module, &mut gradients)?;
        self.unswept += 1;
        if self.unswept == SWEEP_EVERY {
            self.unswept = 0;
            sweep();
        }
        let mut update = Update {
            optimizer: self,
            gradients,
            norm,
            learning_rate,
            path: Vec::new(),
            updated: Squares::default(),
        };
        let module = module.map(&mut update);
        match update.updated.norm() {
            Ok(_) => Ok((module, norm)),
            Err(path) => Err(diverged(&format!("the parameter {}", name_in_files(&module, &path)))),
        }
    }

    fn multiplier(&self, id: ParamId, path: &str) -> f64 {
        last_of(&self.groups, id, path).copied().unwrap_or(1.0)
    }

    /// What updates a parameter.
    pub(super) fn rule(&self, id: ParamId, path: &str) -> &dyn DynOptimizer {
        last_of(&self.rules, id, path).unwrap_or(&self.rule).as_ref()
    }
}

/// What the last group that a parameter is in has.
fn last_of<'a, T>(groups: &'a [(ParamGroup, T)], id: ParamId, path: &str) -> Option<&'a T> {
    groups.iter().rfind(|(group, _)| group.matches(&id, Some(path))).map(|(_, of)| of)
}

/// The walk of one step.
struct Update<'a> {
    optimizer: &'a mut GroupedOptimizer,
    gradients: GradientsParams,
    norm: f64,
    learning_rate: f64,
    path: Vec<String>,
    /// To see that every parameter is finite.
    updated: Squares,
}

impl ModuleMapper for Update<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(mut gradient) = self.gradients.remove::<D>(param.id) else {
            return param;
        };
        let (id, tensor, mapper) = param.consume();
        let path = self.path.join(".");
        if let Some(clipping) = self.optimizer.clipping {
            gradient = clipping.clip(gradient, self.norm);
        }

        let device = gradient.device();
        let rate = self.learning_rate * self.optimizer.multiplier(id, &path);
        let state = self.optimizer.states.remove(&path);
        let rule = self.optimizer.rule(id, &path);
        let (updated, state) = rule.step_dyn(
            D,
            rate,
            tensor.clone().inner().into_bridge(),
            gradient.into_bridge(),
            state.map(|(_, state)| rule.to_device_dyn(state, &device)),
        );
        let updated = self.updated.add(path.clone(), Tensor::from_bridge(updated));
        if let Some(state) = state {
            self.optimizer.states.insert(path, (id, state));
        }
        Param::from_mapped_value(id, tracked_like(&tensor, updated), mapper)
    }
}

/// Often enough that little piles up, 2 KB a parameter and step; seldom enough that sweeping costs nothing.
const SWEEP_EVERY: usize = 64;

/// Frees what Burn's autodiff graph keeps of parameters that have been replaced. It does so after a backward pass, which
/// training with gradients of our own never has; so here is one, of a number by itself.
fn sweep() {
    Tensor::<1>::zeros([1], &Device::flex().autodiff()).require_grad().backward();
}

/// `updated` as a leaf of the autodiff graph, with the settings of the parameter that it replaces.
fn tracked_like<const D: usize>(parameter: &Tensor<D>, updated: Tensor<D>) -> Tensor<D> {
    match parameter.gradient_checkpointing_strategy() {
        None => updated,
        Some(strategy) => updated
            .autodiff()
            .with_gradient_checkpointing_strategy(strategy)
            .set_require_grad(parameter.is_require_grad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::optimizer::toy::{Toy, bits};
    use crate::optimizer::{AdamConfig, AdamState, SgdConfig};
    use burn::optim::{LearningRate, Optimizer};

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        bits(tensor).into_iter().map(f32::from_bits).collect()
    }

    fn sgd() -> GroupedOptimizer {
        GroupedOptimizer::new(&OptimizerConfig::Sgd(SgdConfig::default()))
    }

    #[test]
    fn a_group_has_its_own_learning_rate() {
        let toy = Toy::new([1.0; 6], [1.0; 2]);
        let by_path = sgd().with_group(ParamGroup::from_predicate("tau"), 4.0);
        let by_id = sgd().with_group(ParamGroup::from_ids(vec![toy.log_tau.id]), 4.0);
        let overlapping = sgd()
            .with_group(ParamGroup::all(), 0.0)
            .with_group(ParamGroup::from_path("weight"), 1.0)
            .with_group(ParamGroup::from_path("log_tau"), 4.0);
        for mut optimizer in [by_path, by_id, overlapping] {
            let gradients = toy.gradients([2.0; 6], [2.0; 2]);
            let (toy, norm) = optimizer.step(0.125, toy.clone(), gradients).unwrap();
            assert_eq!(values(toy.weight.val()), [0.75; 6]);
            assert_eq!(values(toy.log_tau.val()), [0.0; 2]);
            assert_eq!(norm, 32f64.sqrt());
        }
    }

    /// One's own rule steps by the sign of the gradient; a group keeps another.
    #[test]
    fn a_rule_may_be_ones_own_and_a_group_may_have_another() {
        #[derive(Clone)]
        struct Sign;
        impl Optimizer for Sign {
            type State<const D: usize> = AdamState<D>;
            fn step<const D: usize>(
                &self,
                rate: LearningRate,
                tensor: Tensor<D>,
                gradient: Tensor<D>,
                _: Option<AdamState<D>>,
            ) -> (Tensor<D>, Option<AdamState<D>>) {
                (tensor - gradient.sign() * rate, None)
            }
            fn to_device<const D: usize>(state: AdamState<D>, _: &Device) -> AdamState<D> {
                state
            }
        }
        let toy = Toy::new([1.0; 6], [1.0; 2]);
        let decayed = OptimizerConfig::Sgd(SgdConfig { weight_decay: 2.0, ..SgdConfig::default() });
        let mut optimizer = GroupedOptimizer::of(Box::new(Sign))
            .with_rule(ParamGroup::from_predicate("log_tau"), decayed.build());
        let gradients = toy.gradients([-3.0; 6], [1.0; 2]);
        let (toy, _) = optimizer.step(0.25, toy, gradients).unwrap();
        assert_eq!(values(toy.weight.val()), [1.25; 6]);
        assert_eq!(values(toy.log_tau.val()), [0.25; 2]);
    }

    #[test]
    fn clipping_by_norm_scales_all_parameters_alike() {
        let toy = Toy::new([0.0; 6], [0.0; 2]);
        let gradients = toy.gradients([3.0, 0.0, 0.0, 0.0, 0.0, 0.0], [4.0, 0.0]);
        let mut optimizer = sgd().with_clipping(GradientClipping::Norm(2.5));
        let (toy, norm) = optimizer.step(1.0, toy, gradients).unwrap();
        assert_eq!(norm, 5.0);
        let moved = [values(toy.weight.val())[0], values(toy.log_tau.val())[0]];
        assert!((moved[0] + 1.5).abs() < 1e-6 && (moved[1] + 2.0).abs() < 1e-6, "{moved:?}");
    }

    #[test]
    fn parameters_without_a_gradient_stay_and_have_no_state() {
        let toy = Toy::new([1.0; 6], [1.0; 2]);
        let mut gradients = toy.gradients([1.0; 6], [1.0; 2]);
        gradients.remove::<1>(toy.log_tau.id).unwrap();
        let mut optimizer = GroupedOptimizer::new(&OptimizerConfig::default());
        let (toy, _) = optimizer.step(0.1, toy, gradients).unwrap();
        assert_eq!(values(toy.log_tau.val()), [1.0; 2]);
        assert!(values(toy.weight.val()).iter().all(|&w| w < 1.0));
        assert_eq!(optimizer.states.keys().collect::<Vec<_>>(), ["weight"]);
    }

    #[test]
    fn updated_parameters_are_trained_on() {
        let frozen = Toy::new([1.0; 6], [1.0; 2]);
        let mut toy =
            Toy { weight: frozen.weight.clone(), log_tau: frozen.log_tau.set_require_grad(false) };
        let mut optimizer = GroupedOptimizer::new(&OptimizerConfig::default());
        for _ in 0..3 {
            let loss = toy.weight.val().square().sum() + toy.log_tau.val().sum();
            let gradients = GradientsParams::from_grads(loss.backward(), &toy);
            assert_eq!(gradients.len(), 1);
            (toy, _) = optimizer.step(0.1, toy, gradients).unwrap();
        }
        assert!(values(toy.weight.val()).iter().all(|&w| w < 0.8));
        assert_eq!(values(toy.log_tau.val()), [1.0; 2]);
        assert!(toy.weight.is_require_grad() && !toy.log_tau.is_require_grad());
    }

    #[test]
    fn a_step_out_of_the_finite_numbers_is_an_error() {
        let toy = Toy::new([1.0; 6], [1.0; 2]);
        let before = toy.bits();
        let mut optimizer = GroupedOptimizer::new(&OptimizerConfig::Adam(AdamConfig::default()));
        let gradients = toy.gradients([1.0; 6], [f32::NAN, 1.0]);
        let error = optimizer.step(0.1, toy.clone(), gradients).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Divergence);
        assert!(optimizer.states.is_empty(), "nothing has been updated");
        assert_eq!(toy.bits(), before);

        let gradients = toy.gradients([1.0; 6], [1.0; 2]);
        let error = optimizer.step(1e39, toy, gradients).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Divergence);
        assert!(error.to_string().contains("the parameter weight"), "{error}");
    }
}
