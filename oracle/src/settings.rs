//! Parameters to try an operation with, and where to look then.

use halfwave_kernels::{Number, Parameter, Parameters};

/// `count` settings of an operation, the same at every call: of each parameter a third of the magnitudes
/// is about 1, a third all over the exponents of `f32`, a third all over those of `f64`, of both signs,
/// and some are at the ends of what the operation or a dtype takes. None if it has no parameters.
///
/// ```
/// use halfwave_kernels::LeakyRelu;
///
/// assert_eq!(halfwave_oracle::settings::<LeakyRelu>(40).len(), 40);
/// ```
pub fn settings<O: Parameters>(count: usize) -> Vec<O> {
    if O::PARAMETERS.is_empty() {
        return Vec::new();
    }
    let mut random = Random(O::PARAMETERS.len() as u64);
    let any = || {
        let mut values = O::DEFAULT.values();
        for (value, parameter) in values.iter_mut().zip(O::PARAMETERS) {
            *value = Number::new(random.value(parameter));
        }
        O::from_values(values).ok()
    };
    let tries = std::iter::repeat_with(any).flatten();
    tries.take(count).collect()
}

/// Where an operation with these parameters may branch: at them, at their products and quotients with
/// what e^x branches at, and where one parameter is to be added to or divided by the other.
pub fn branches(values: &[f64]) -> Vec<f64> {
    // 1 + e^-x is 1; e^-x is the smallest normal and subnormal number, and so small that the largest
    // number times it is.
    const OF_EXP: [f64; 11] = [
        1e-5, 0.3, 1.0, 17.0, 37.5, 87.2, 103.9, 193.0, 709.0, 745.0, 1455.0,
    ];
    let mut points = values.to_vec();
    for value in values {
        points.extend(OF_EXP.iter().flat_map(|x| [x * value, x / value]));
    }
    if let [a, b] = *values {
        points.extend([a + b, a - b, a / b, b / a, b / a / 2.0, (1.0 - b) / a]);
    }
    points.retain(|x| x.is_finite());
    points
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ x >> 31
    }

    /// Of `[-1, 1)`.
    fn unit(&mut self) -> f64 {
        self.bits() as i64 as f64 / 2f64.powi(63)
    }

    /// A value that the parameter may or may not take.
    fn value(&mut self, parameter: &Parameter) -> f64 {
        let ends = [
            parameter.min,
            parameter.max,
            0.0,
            1e-30,
            f64::from(f32::MIN_POSITIVE),
            f64::from(f32::MAX),
            1e39,
            65_504.0,
            65_520.0,
            f64::MIN_POSITIVE,
            f64::MAX,
        ];
        let magnitude = match self.bits() % 10 {
            0 => ends[self.bits() as usize % ends.len()],
            1..=3 => (self.unit() * 8.0).exp2(),
            4..=6 => (self.unit() * 126.0).exp2(),
            _ => (self.unit() * 1023.0).exp2(),
        };
        if self.bits() & 1 == 0 {
            magnitude
        } else {
            -magnitude
        }
    }
}
