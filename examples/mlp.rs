//! A network with one hidden layer learns to tell two spirals apart, and draws what it has learned:
//! `cargo run --release --example mlp`.
//!
//! All that is not a matrix product is a rectifier: the hidden layer, its derivative, and the hinge
//! loss `max(1 − t · z, 0)` of an output `z` that should have the sign of `t`. The products are plain
//! loops, to be read; a real program takes a library for them.

use halfwave::{Activation, Broadcast, Fused, Relu, RowsMut, sparsity};

const POINTS: usize = 400;
const HIDDEN: usize = 128;
const STEPS: usize = 800;

/// Weights and biases, or their gradients.
#[derive(Clone)]
struct Network {
    w1: Vec<f32>, // HIDDEN rows of 2
    b1: Vec<f32>, // HIDDEN
    w2: Vec<f32>, // HIDDEN
    b2: Vec<f32>, // 1
}

impl Network {
    /// Hidden units that look in all directions, by the golden angle, from different distances.
    fn new() -> Self {
        let turn = |i: usize| 2.399_963 * i as f32;
        let far = |i: usize| 1.5 * ((i * 37 % HIDDEN) as f32 / HIDDEN as f32) - 1.0;
        Self {
            w1: (0..HIDDEN)
                .flat_map(|i| [turn(i).cos(), turn(i).sin()])
                .collect(),
            b1: (0..HIDDEN).map(far).collect(),
            w2: (0..HIDDEN).map(|i| 0.1 * (7.0 * turn(i)).sin()).collect(),
            b2: vec![0.0],
        }
    }

    /// For each row of two coordinates, the hidden layer and the output.
    fn forward(&self, x: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let mut h = Vec::with_capacity(x.len() / 2 * HIDDEN);
        for x in x.chunks(2) {
            h.extend(self.w1.chunks(2).map(|w| x[0] * w[0] + x[1] * w[1]));
        }
        // The bias, one element for each column, and the rectifier, in one pass:
        let rows = RowsMut::new(&mut h, x.len() / 2, HIDDEN);
        Relu.bias_in_place(rows, Broadcast::PerColumn(&self.b1));

        let dot = |h: &[f32]| h.iter().zip(&self.w2).map(|(h, w)| h * w).sum::<f32>();
        let z = h.chunks(HIDDEN).map(|h| dot(h) + self.b2[0]).collect();
        (h, z)
    }

    /// The loss, its gradients, and the share of hidden units that are active.
    fn backward(&self, x: &[f32], target: &[f32]) -> (f32, Network, f32) {
        let (h, z) = self.forward(x);
        let active = sparsity::count_nonzero(&h) as f32 / h.len() as f32;

        // loss = mean of relu(margin), margin = 1 − t · z, and back.
        let margin: Vec<f32> = z.iter().zip(target).map(|(z, t)| 1.0 - t * z).collect();
        let loss = Relu.apply_to_vec(&margin).iter().sum::<f32>() / POINTS as f32;
        let mut dz = vec![1.0 / POINTS as f32; POINTS];
        Relu.backward_in_place(&margin, &mut dz);
        dz.iter_mut().zip(target).for_each(|(dz, t)| *dz *= -t);

        // dh = dz · w2, then through the rectifier. Its output tells the derivative, so that what
        // went into it, the sum with the bias, was never stored.
        let mut dh: Vec<f32> = dz
            .iter()
            .flat_map(|dz| self.w2.iter().map(move |w| dz * w))
            .collect();
        Relu.backward_from_output_in_place(&h, &mut dh);

        let mut gradient = Network {
            w1: vec![0.0; 2 * HIDDEN],
            b1: vec![0.0; HIDDEN],
            w2: vec![0.0; HIDDEN],
            b2: vec![dz.iter().sum()],
        };
        for (p, dz) in dz.iter().enumerate() {
            for i in 0..HIDDEN {
                let (h, dh) = (h[p * HIDDEN + i], dh[p * HIDDEN + i]);
                gradient.w2[i] += dz * h;
                gradient.b1[i] += dh;
                gradient.w1[2 * i] += dh * x[2 * p];
                gradient.w1[2 * i + 1] += dh * x[2 * p + 1];
            }
        }
        (loss, gradient, active)
    }

    fn parameters(&mut self) -> impl Iterator<Item = &mut f32> {
        let Self { w1, b1, w2, b2 } = self;
        w1.iter_mut().chain(b1).chain(w2).chain(b2)
    }
}

/// Points on two spirals, one the other turned by half a circle, and which one each is on: 1 or −1.
fn spirals() -> (Vec<f32>, Vec<f32>) {
    let (mut x, mut target) = (vec![], vec![]);
    for i in 0..POINTS {
        let t = if i % 2 == 0 { 1.0 } else { -1.0 };
        let along = (i as f32 + 20.0) / (POINTS as f32 + 20.0);
        let (sin, cos) = (along * 7.0).sin_cos();
        x.extend([t * along * cos, t * along * sin]);
        target.push(t);
    }
    (x, target)
}

fn main() {
    let (x, target) = spirals();
    let mut network = Network::new();
    let mut velocity = network.clone();
    velocity.parameters().for_each(|v| *v = 0.0);

    let first = network.backward(&x, &target).0;
    println!("step    loss  right  active units");
    for step in 0..=STEPS {
        let (loss, mut gradient, active) = network.backward(&x, &target);
        if step % (STEPS / 8) == 0 {
            let (_, z) = network.forward(&x);
            let right = z.iter().zip(&target).filter(|(z, t)| *z * *t > 0.0).count();
            let (right, active) = (100.0 * right as f32 / POINTS as f32, 100.0 * active);
            println!("{step:4}  {loss:.4}  {right:3.0} %  {active:3.0} %");
        }
        // Gradient descent with momentum.
        let all = network
            .parameters()
            .zip(velocity.parameters())
            .zip(gradient.parameters());
        for ((w, v), g) in all {
            *v = 0.95 * *v - 0.05 * *g;
            *w += *v;
        }
    }
    let last = network.backward(&x, &target).0;
    assert!(
        last < first / 10.0,
        "the loss fell from {first} to {last} only"
    );

    // What the network says of each place; the points of the spirals are `o` and `+`.
    let (width, height) = (66, 33);
    let at = |i: usize, of: usize| 2.2 * (i as f32 + 0.5) / of as f32 - 1.1;
    let grid: Vec<f32> = (0..width * height)
        .flat_map(|i| [at(i % width, width), at(i / width, height)])
        .collect();
    let (_, z) = network.forward(&grid);
    let mut picture: Vec<char> = z.iter().map(|&z| if z > 0.0 { '.' } else { ' ' }).collect();
    for (x, t) in x.chunks(2).zip(&target) {
        let cell = |x: f32, of: usize| ((x + 1.1) / 2.2 * of as f32) as usize;
        picture[cell(x[1], height) * width + cell(x[0], width)] = if *t > 0.0 { 'o' } else { '+' };
    }
    for row in picture.chunks(width) {
        println!("{}", String::from_iter(row).trim_end());
    }
}
