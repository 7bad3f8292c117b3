//! The article that started the project, "A Concise Introduction to the ReLU Function": its
//! formulas and every one of its examples.

use halfwave::{Activation, Operation, Relu, Sigmoid, Tanh};

/// `>>> ReLU(100)` → 100, `>>> ReLU(-100)` → 0: a conditional and `max` on Python's ints.
#[test]
fn integers() {
    assert_eq!(Relu.eval(100i8), 100);
    assert_eq!(Relu.eval(-100i8), 0);
    assert_eq!((Relu.eval(100i16), Relu.eval(-100i16)), (100, 0));
    assert_eq!((Relu.eval(100i32), Relu.eval(-100i32)), (100, 0));
    assert_eq!((Relu.eval(100i64), Relu.eval(-100i64)), (100, 0));
}

/// Tensorflow's example: `tf.keras.activations.relu([-10, -5, 0.0, 5, 10])` in float32.
#[test]
fn an_array_of_f32() {
    let mut y = [f32::NAN; 5];
    halfwave::relu(&[-10.0, -5.0, 0.0, 5.0, 10.0], &mut y);
    assert_eq!(
        y.map(f32::to_bits),
        [0.0f32, 0.0, 0.0, 5.0, 10.0].map(f32::to_bits)
    );
}

/// PyTorch's example: `torch.nn.ReLU()` on the same array in float64.
#[test]
fn an_array_of_f64() {
    let mut x = [-10.0f64, -5.0, 0.0, 5.0, 10.0];
    halfwave::relu_in_place(&mut x);
    assert_eq!(
        x.map(f64::to_bits),
        [0.0f64, 0.0, 0.0, 5.0, 10.0].map(f64::to_bits)
    );
}

/// Equations 1 to 3, the positive part `f⁺ = max(f, 0)`, of some `f`: "we graph f⁺ by taking the
/// graph of f, eliminating the part under the x-axis, and letting f⁺ take the value zero there".
#[test]
fn the_positive_part_of_a_function() {
    let f: Vec<f64> = (-500..=500).map(|i| (f64::from(i) / 50.0).sin()).collect();
    for (f, plus) in f.iter().zip(Relu.apply_to_vec(&f)) {
        approx::assert_ulps_eq!(plus, if *f > 0.0 { *f } else { 0.0 }, max_ulps = 0);
    }
}

/// "In a randomly initialized network, around 50% of hidden units are activated." Pre-activations
/// of such a layer are symmetric about zero.
#[test]
fn about_half_of_a_random_layer_is_zero() {
    let mut state = 1u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    let layer: Vec<f32> = (0..100_000)
        .map(|_| (0..12).map(|_| uniform()).sum())
        .collect();
    let active = Relu
        .apply_to_vec(&layer)
        .iter()
        .filter(|&&y| y != 0.0)
        .count();
    approx::assert_abs_diff_eq!(active as f64 / layer.len() as f64, 0.5, epsilon = 0.01);
}

/// "A ReLU activation unit is known to be less likely to create a vanishing gradient problem because its
/// derivative is always 1 for positive values of the argument", unlike those of sigmoid and tanh: what
/// comes back through twenty of each.
#[test]
fn gradients_vanish_through_sigmoid_and_tanh_but_not_through_relu() {
    fn through_twenty<O: Operation<f64>>(op: O, x: f64) -> f64 {
        let mut gradient = [1.0];
        for _ in 0..20 {
            op.backward_in_place(&[x], &mut gradient);
        }
        gradient[0]
    }
    for x in [f64::from_bits(1), 1e-300, 0.5, 2.0, 1e300, f64::INFINITY] {
        assert_eq!(through_twenty(Relu, x).to_bits(), 1f64.to_bits(), "{x}");
    }
    // 1/4 is the most that a sigmoid lets through.
    approx::assert_relative_eq!(through_twenty(Sigmoid, 0.0), 0.25f64.powi(20));
    let twenty = |slope: f64| slope.powi(20);
    approx::assert_relative_eq!(
        through_twenty(Sigmoid, 2.0),
        twenty(0.104_993_585_403_506_6),
        max_relative = 1e-13
    );
    approx::assert_relative_eq!(
        through_twenty(Tanh, 2.0),
        twenty(0.070_650_824_853_164_43),
        max_relative = 1e-13
    );
}
