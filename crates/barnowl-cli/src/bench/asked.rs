//! What the command line asks for.

use super::shapes::Shape;
use crate::args::{Bench, ShapeName};
use barnowl::learning::BpttOptions;

/// The shapes that were asked for, or `default`.
pub fn shapes(args: &Bench, default: &[ShapeName]) -> Vec<Shape> {
    let names = if args.shapes.is_empty() { default } else { &args.shapes };
    let shape = |&name| {
        let shape = Shape::new(name);
        let batch = args.batch.map_or(shape.batch, usize::from);
        let steps = args.length.map_or(shape.steps, usize::from);
        let mut shape = Shape { batch, steps, ..shape };
        if let Some(hidden) = args.hidden {
            shape.network.layers.iter_mut().for_each(|layer| layer.size = hidden.into());
        }
        shape
    };
    names.iter().map(shape).collect()
}

/// How the way back is gone.
pub fn options(args: &Bench) -> BpttOptions {
    let checkpoint_steps = args.checkpoint_steps.map(|steps| steps as usize);
    BpttOptions { checkpoint_steps, ..BpttOptions::default() }
}
