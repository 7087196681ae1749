//! The operations that a program is made of.

/// The number of an operation in its program, which is also the number of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub(crate) u32);

impl Id {
    /// The number as an index.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One operation; its operands have smaller numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Op {
    /// An input of the program, by number.
    Input(u32),
    /// A number.
    Const(f32),
    /// Of one value.
    Unary(Unary, Id),
    /// Of two values.
    Binary(Binary, Id, Id),
}

/// Operations of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unary {
    /// −a
    Neg,
    /// |a|
    Abs,
    /// eᵃ
    Exp,
    /// eᵃ − 1, accurate where a is small
    Expm1,
    /// the natural logarithm
    Log,
    /// √a
    Sqrt,
    /// tanh a
    Tanh,
    /// 1 / (1 + e⁻ᵃ)
    Sigmoid,
    /// a, without its gradient
    Stop,
    /// 1 if a > 0, else 0; its gradient is a surrogate's
    Spike,
    /// ψ(a), what stands for the gradient of [`Unary::Spike`]; in adjoints only
    Surrogate,
}

/// Operations of two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Binary {
    /// a + b
    Add,
    /// a − b
    Sub,
    /// a × b
    Mul,
    /// a ÷ b
    Div,
    /// the smaller
    Min,
    /// the larger
    Max,
    /// 1 if a > b, else 0; in adjoints only
    Greater,
}

/// The functions that equations may call, in the order in which they are told.
pub(crate) const FUNCTIONS: [&str; 11] =
    ["abs", "exp", "expm1", "log", "max", "min", "sigmoid", "spike", "sqrt", "stop", "tanh"];

impl Unary {
    /// The function of this name in equations.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "abs" => Self::Abs,
            "exp" => Self::Exp,
            "expm1" => Self::Expm1,
            "log" => Self::Log,
            "sqrt" => Self::Sqrt,
            "tanh" => Self::Tanh,
            "sigmoid" => Self::Sigmoid,
            "stop" => Self::Stop,
            "spike" => Self::Spike,
            _ => return None,
        })
    }
}

impl Binary {
    /// The function of this name in equations.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "min" => Some(Self::Min),
            "max" => Some(Self::Max),
            _ => None,
        }
    }
}

impl Op {
    /// The values that it is computed from.
    pub fn operands(self) -> impl Iterator<Item = Id> {
        let (a, b) = match self {
            Self::Input(_) | Self::Const(_) => (None, None),
            Self::Unary(_, a) => (Some(a), None),
            Self::Binary(_, a, b) => (Some(a), Some(b)),
        };
        a.into_iter().chain(b)
    }

    /// The same operation of other values.
    #[must_use]
    pub(crate) fn with_operands(self, to: impl Fn(Id) -> Id) -> Self {
        match self {
            Self::Input(_) | Self::Const(_) => self,
            Self::Unary(op, a) => Self::Unary(op, to(a)),
            Self::Binary(op, a, b) => Self::Binary(op, to(a), to(b)),
        }
    }
}
