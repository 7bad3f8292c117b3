//! What a result is made of, counted as it passes by.

use bytemuck::Pod;
use half::{bf16, f16};
use halfwave::{Dtype, Element, sparsity};
use indicatif::HumanCount;

use crate::human::table;

/// What is asked of an element here and not in the library, or there of floats alone: then the way of
/// the integers is the one given.
pub trait Scalar: Element + Pod {
    fn swap_bytes(self) -> Self;
    fn to_f64(self) -> f64;

    /// How many elements are not zero, of either sign. NaN is not zero.
    fn count_nonzero(x: &[Self]) -> usize {
        // A narrow counter vectorises, and cannot overflow on a short run.
        let one = |&x: &Self| u32::from(x != Self::default());
        x.chunks(1 << 12)
            .map(|run| run.iter().map(one).sum::<u32>() as usize)
            .sum()
    }

    /// The non-zero elements in order, behind the index of each.
    fn compact(x: &[Self]) -> (Vec<u32>, Vec<Self>) {
        let kept = (0..).zip(x.iter().copied());
        kept.filter(|&(_, x)| x != Self::default()).unzip()
    }
}

macro_rules! scalars {
    ($($Float:ty)*; $($Int:ty)*) => {
        $(impl Scalar for $Float {
            fn swap_bytes(self) -> Self {
                Self::from_bits(self.to_bits().swap_bytes())
            }
            fn to_f64(self) -> f64 {
                halfwave::Float::to_f64(self)
            }
            fn count_nonzero(x: &[Self]) -> usize {
                sparsity::count_nonzero(x)
            }
            fn compact(x: &[Self]) -> (Vec<u32>, Vec<Self>) {
                sparsity::compact_to_vecs(x)
            }
        })*
        $(impl Scalar for $Int {
            fn swap_bytes(self) -> Self {
                self.swap_bytes()
            }
            fn to_f64(self) -> f64 {
                self as f64
            }
        })*
    };
}
scalars!(f32 f64 f16 bf16; i8 i16 i32 i64 u8 u16 u32 u64);

/// Sums and counts of a run of elements; those of a longer run by [`add`](Stats::add).
#[derive(Clone, Copy)]
pub struct Stats {
    pub elements: u64,
    /// NaNs included.
    pub nonzeros: u64,
    pub nans: u64,
    pub infinities: u64,
    /// Of all but NaNs, as are the other two.
    pub min: f64,
    pub max: f64,
    pub sum: f64,
}

/// Of no elements.
impl Default for Stats {
    fn default() -> Self {
        Self {
            elements: 0,
            nonzeros: 0,
            nans: 0,
            infinities: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            sum: 0.0,
        }
    }
}

impl Stats {
    /// The two counts that cost next to nothing.
    pub fn counts<E: Scalar>(x: &[E]) -> Self {
        Self {
            elements: x.len() as u64,
            nonzeros: E::count_nonzero(x) as u64,
            ..Self::default()
        }
    }

    pub fn of<E: Scalar>(x: &[E]) -> Self {
        // So many sums take turns, for one would wait for itself at each addition.
        const SUMS: usize = 8;
        let mut stats = Self::counts(x);
        let (mut low, mut high, mut sums) = ([stats.min; SUMS], [stats.max; SUMS], [0.0; SUMS]);
        for run in x.chunks(SUMS) {
            for (i, &x) in run.iter().enumerate() {
                let x = x.to_f64();
                stats.nans += u64::from(x.is_nan());
                stats.infinities += u64::from(x.is_infinite());
                // Comparisons with NaN are false.
                low[i] = if x < low[i] { x } else { low[i] };
                high[i] = if x > high[i] { x } else { high[i] };
                sums[i] += if x.is_nan() { 0.0 } else { x };
            }
        }
        stats.min = low.into_iter().fold(stats.min, f64::min);
        stats.max = high.into_iter().fold(stats.max, f64::max);
        stats.sum = sums.iter().sum();
        stats
    }

    /// Takes in what comes after. In the order of the file, for sums depend on it: so they are the
    /// same on any number of threads.
    pub fn add(&mut self, next: &Self) {
        self.elements += next.elements;
        self.nonzeros += next.nonzeros;
        self.nans += next.nans;
        self.infinities += next.infinities;
        self.min = self.min.min(next.min);
        self.max = self.max.max(next.max);
        self.sum += next.sum;
    }

    pub fn percent_zeros(&self) -> f64 {
        percent(self.elements - self.nonzeros, self.elements)
    }

    /// For people. `dtypes` are those of the elements.
    pub fn describe(&self, dtypes: &[Dtype]) -> String {
        let numbers = self.elements - self.nans;
        let of_numbers = |text: String| if numbers == 0 { "-".into() } else { text };
        let share = format!("{:.1} %", percent(self.nonzeros, self.elements));
        table(
            &[
                ["elements", &count(self.elements), ""],
                ["non-zeros", &count(self.nonzeros), &share],
                ["NaNs", &count(self.nans), ""],
                ["infinities", &count(self.infinities), ""],
                ["min", &of_numbers(shortest(self.min, dtypes)), ""],
                ["max", &of_numbers(shortest(self.max, dtypes)), ""],
                [
                    "mean",
                    &of_numbers(rounded(self.sum / numbers as f64, 7)),
                    "",
                ],
            ]
            .map(|row| row.map(String::from).to_vec()),
            1,
        )
    }
}

fn percent(part: u64, all: u64) -> f64 {
    100.0 * part as f64 / all.max(1) as f64
}

fn count(n: u64) -> String {
    HumanCount(n).to_string()
}

/// As short as tells it from all others of its dtype.
fn shortest(x: f64, dtypes: &[Dtype]) -> String {
    match dtypes {
        [Dtype::F32] => format!("{:?}", x as f32),
        [Dtype::F16] => rounded(x, 5),
        [Dtype::Bf16] => rounded(x, 4),
        dtypes if dtypes.iter().any(|dtype| Dtype::FLOATS.contains(dtype)) => format!("{x:?}"),
        _ => format!("{x}"),
    }
}

fn rounded(x: f64, digits: usize) -> String {
    let text = format!("{x:.*e}", digits - 1);
    format!("{:?}", text.parse().unwrap_or(x))
}
