//! Where the outputs of layers stand in rows with padding.

use barnowl_engine::neurons::Shape;

/// What the columns of a row stand for, or the rows of weights: of each part so many are there, and the rest is padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns(Vec<Part>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    count: usize,
    width: usize,
}

impl Columns {
    /// All of them.
    pub(super) fn packed(count: usize) -> Self {
        Self(vec![Part { count, width: count }])
    }

    /// The outputs of a layer: spikes are named one by one, real numbers are rows with padding.
    pub(super) fn of(shape: &Shape) -> Self {
        let width = if shape.is_spiking() { shape.neurons } else { shape.width };
        Self(vec![Part { count: shape.neurons, width }])
    }

    /// The outputs of some layers side by side, each with its padding.
    pub(super) fn side_by_side<'a>(shapes: impl Iterator<Item = &'a Shape>) -> Self {
        Self(shapes.map(|shape| Part { count: shape.neurons, width: shape.width }).collect())
    }

    /// With padding.
    pub(super) fn width(&self) -> usize {
        self.0.iter().map(|part| part.width).sum()
    }

    /// Without padding.
    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|part| part.count).sum()
    }

    /// Whether there is no padding.
    pub(super) fn is_packed(&self) -> bool {
        self.0.iter().all(|part| part.count == part.width)
    }

    /// Where each stands.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        let mut start = 0;
        self.0.iter().flat_map(move |part| {
            let places = start..start + part.count;
            start += part.width;
            places
        })
    }
}
