//! Every form, with what it makes as bits. Nothing here computes with floats, but for the making of inputs.

use halfwave::*;

use crate::floats::{Plain, Random, numbers};
use crate::register;

/// Several pieces on threads, and a tail.
pub const LEN: usize = 3 * 64 + 37 * 4;

/// What the calls of one case have made.
pub struct Log {
    control: u32,
    pub made: Vec<(&'static str, Vec<u64>)>,
    /// The forms behind which the control bits were others than before.
    pub changed: Vec<&'static str>,
}

impl Log {
    /// In the environment that this thread has now.
    pub fn new() -> Self {
        Self {
            control: register::control(),
            made: vec![],
            changed: vec![],
        }
    }

    fn add(&mut self, form: &'static str, bits: impl IntoIterator<Item = u64>) {
        if register::control() != self.control {
            self.changed.push(form);
        }
        self.made.push((form, bits.into_iter().collect()));
    }

    fn floats<E: Plain>(&mut self, form: &'static str, y: &[E]) {
        self.add(form, y.iter().map(|y| y.bits()));
    }

    /// By a method that writes to a slice of this length.
    fn to<E: Plain>(&mut self, form: &'static str, len: usize, method: impl FnOnce(&mut [E])) {
        let mut y = vec![E::default(); len];
        method(&mut y);
        self.floats(form, &y);
    }

    /// By a method that works in place of `x`.
    fn at<E: Plain>(&mut self, form: &'static str, x: &[E], method: impl FnOnce(&mut [E])) {
        let mut y = x.to_vec();
        method(&mut y);
        self.floats(form, &y);
    }

    fn bytes(&mut self, form: &'static str, method: impl FnOnce(&mut [i8])) {
        let mut q = [0; LEN];
        method(&mut q);
        self.add(form, q.map(|q| q as u64));
    }
}

/// Numbers of all sizes, subnormal ones above all, and the specials.
pub struct Inputs<E> {
    x: Vec<E>,
    dy: Vec<E>,
    slopes: Vec<E>,
    /// Numbers that are not subnormal, but products and differences of which are.
    tiny: Vec<E>,
    /// Numbers whose sums are rounded.
    ones: Vec<E>,
    subnormal: E,
}

impl<E: Plain> Inputs<E> {
    pub fn new() -> Self {
        let one = E::from_f64(1.0).bits();
        // The exponent's bits end where those of 1 do.
        let mantissa = (1 << one.trailing_zeros()) - 1;
        let sign = 1u64 << (8 * size_of::<E>() - 1);
        let make = |seed: u64| -> Vec<E> {
            let (plain, mut random) = (numbers::<E>(LEN, seed), Random(seed));
            let number = |(i, x): (usize, E)| {
                let bits = random.next();
                match i % 8 {
                    // Subnormal, of either sign; the least of all now and then.
                    0 => E::from_bits(bits & (sign | mantissa)),
                    1 if i % 3 == 0 => E::from_bits(bits & sign | 1),
                    // Any bits.
                    1 | 2 => E::from_bits(bits),
                    _ => x,
                }
            };
            plain.into_iter().enumerate().map(number).collect()
        };
        let near = |exponents: [u64; 3], seed| {
            let mut random = Random(seed);
            let mut number = || {
                let bits = random.next();
                let exponent = exponents[(bits % 3) as usize];
                E::from_bits(bits >> 8 & mantissa | bits & sign | exponent)
            };
            (0..LEN).map(|_| number()).collect()
        };
        let unit = mantissa + 1;
        Self {
            x: make(1),
            dy: make(2),
            slopes: make(3),
            tiny: near([unit, 2 * unit, 3 * unit], 77),
            ones: near([one - unit, one, one + unit], 78),
            subnormal: E::from_bits(sign | 3),
        }
    }
}

/// Forms of an operation alone, and between its neighbours.
pub fn of_operation<E: Plain>(log: &mut Log, op: Op, backend: Backend, inputs: &Inputs<E>) {
    let f = op.on(backend);
    let Inputs { x, dy, tiny, .. } = inputs;
    let from_output = op.has_backward_from_output::<E>();
    log.add("has_backward_from_output", [u64::from(from_output)]);
    log.to("apply", LEN, |y: &mut [E]| f.apply(x, y).unwrap());
    log.to("apply to tiny", LEN, |y: &mut [E]| {
        f.apply(tiny, y).unwrap()
    });
    log.at("apply_in_place", x, |x| f.apply_in_place(x).unwrap());
    let y = f.apply_to_vec(x).unwrap();
    log.floats("apply_to_vec", &y);
    log.to("apply_rows", LEN, |y: &mut [E]| {
        let y = RowsMut::strided(y, 4, LEN / 4 - 3, LEN / 4);
        let x = Rows::strided(x, 4, LEN / 4 - 3, LEN / 4);
        f.apply_rows(x, y).unwrap();
    });
    log.to("backward", LEN, |dx: &mut [E]| {
        f.backward(x, dy, dx).unwrap()
    });
    log.to("backward of tiny", LEN, |dx: &mut [E]| {
        f.backward(x, tiny, dx).unwrap()
    });
    log.at("backward_in_place", dy, |dy| {
        f.backward_in_place(x, dy).unwrap()
    });
    if from_output {
        log.to("backward_from_output", LEN, |dx: &mut [E]| {
            f.backward_from_output(&y, dy, dx).unwrap()
        });
    }

    let rows = |x| Rows::new(x, 4, LEN / 4);
    fn to<E: Copy>(y: &mut [E]) -> RowsMut<'_, E> {
        RowsMut::new(y, 4, LEN / 4)
    }
    let b = Broadcast::PerRow(&inputs.slopes[..4]);
    let s = Broadcast::PerColumn(&inputs.slopes[..LEN / 4]);
    log.to("bias", LEN, |y: &mut [E]| {
        f.bias(rows(x), s, to(y)).unwrap()
    });
    log.to("scale_bias", LEN, |y: &mut [E]| {
        f.scale_bias(rows(x), s, b, to(y)).unwrap()
    });
    log.to("scale_bias_backward", LEN, |dx: &mut [E]| {
        f.scale_bias_backward(rows(x), s, b, rows(dy), to(dx))
            .unwrap()
    });
    log.to("residual", LEN, |y: &mut [E]| {
        f.residual(tiny, dy, y).unwrap()
    });
    log.to("residual_sum", 2 * LEN, |y: &mut [E]| {
        let (sum, y) = y.split_at_mut(LEN);
        f.residual_sum(x, tiny, sum, y).unwrap();
    });
    log.to("residual_backward", LEN, |dx: &mut [E]| {
        f.residual_backward(x, tiny, dy, dx).unwrap()
    });
    log.to("gate", LEN, |y: &mut [E]| f.gate(x, tiny, y).unwrap());
    log.to("gate_backward", 2 * LEN, |y: &mut [E]| {
        let (dg, dv) = y.split_at_mut(LEN);
        f.gate_backward(x, tiny, dy, dg, dv).unwrap();
    });
    let half = LEN / 2;
    log.to("gate_interleaved", half, |y: &mut [E]| {
        f.gate_interleaved(x, y).unwrap()
    });
    log.to("gate_interleaved_backward", LEN, |dx: &mut [E]| {
        f.gate_interleaved_backward(x, &dy[..half], dx).unwrap()
    });
}

/// Forms of an operation whose results become bytes.
pub fn to_bytes<E: Plain + Quantizable>(
    log: &mut Log,
    op: Op,
    backend: Backend,
    inputs: &Inputs<E>,
) {
    let to = Quantization::new(1.0, 0).expect("a scale of 1");
    log.bytes("quantize", |q| {
        op.on(backend).quantize(&inputs.x, to, q).unwrap()
    });
}

/// Bytes and back, by scales that are tiny.
pub fn bytes<E: Plain + Quantizable>(log: &mut Log, backend: Backend, inputs: &Inputs<E>) {
    for scale in [0x3DCC_CCCD, 0x0080_0001, 0x0000_0123].map(f32::from_bits) {
        let grid = Quantization::<i8>::new(scale, -3);
        log.add("Quantization::new", [u64::from(grid.is_ok())]);
        let Ok(grid) = grid else { continue };
        for x in [&inputs.x, &inputs.tiny] {
            log.bytes("quantize alone", |q| backend.quantize(x, grid, q));
        }
        let q: [i8; LEN] = std::array::from_fn(|i| i as i8);
        log.to("dequantize", LEN, |x: &mut [E]| {
            backend.dequantize(&q, grid, x)
        });
        let lut = Lut8::new(Sigmoid, grid, grid);
        log.add("Lut8::new", lut.table().map(|q| q as u64));
        let lut = Lut8::from_fn(|x| x, grid, grid);
        log.add("Lut8::from_fn", lut.table().map(|q| q as u64));
    }
}

/// Forms that are of no operation.
pub fn others<E: Plain>(log: &mut Log, backend: Backend, inputs: &Inputs<E>, rrelu: RreluTraining) {
    let Inputs {
        x,
        dy,
        slopes,
        tiny,
        ones,
        subnormal,
    } = inputs;
    for prelu in [
        Prelu::Shared(slopes[5]),
        Prelu::Shared(*subnormal),
        Prelu::PerElement(slopes),
        Prelu::PerElement(tiny),
        Prelu::PerChannel {
            slopes: &tiny[..4],
            inner: LEN / 4,
        },
        Prelu::PerChannel {
            slopes: &slopes[..LEN / 4],
            inner: 1,
        },
    ] {
        log.to("prelu", LEN, |y: &mut [E]| backend.prelu(prelu, x, y));
        log.to("prelu_backward", LEN, |dx: &mut [E]| {
            backend.prelu_backward(prelu, x, dy, dx)
        });
        let n = match prelu {
            Prelu::Shared(_) => 1,
            Prelu::PerElement(slopes) | Prelu::PerChannel { slopes, .. } => slopes.len(),
        };
        // Without infinities and NaN, in which all sums would end.
        log.to("prelu_backward_slope", n, |dslope: &mut [E]| {
            backend.prelu_backward_slope(prelu, tiny, &[*subnormal; LEN], dslope)
        });
        log.to("prelu_backward_slope of ones", n, |dslope: &mut [E]| {
            backend.prelu_backward_slope(prelu, ones, ones, dslope)
        });
    }
    log.to("rrelu", LEN, |y: &mut [E]| backend.rrelu(rrelu, x, y));
    log.to("rrelu_slopes", LEN, |a: &mut [E]| {
        backend.rrelu_slopes(rrelu, a)
    });
    log.to("rrelu_with_noise", 2 * LEN, |y: &mut [E]| {
        let (y, noise) = y.split_at_mut(LEN);
        backend.rrelu_with_noise(rrelu, tiny, y, noise);
    });
    log.to("rrelu_backward", LEN, |dx: &mut [E]| {
        backend.rrelu_backward(rrelu, x, dy, dx)
    });

    let mut mask = [0; LEN.div_ceil(8)];
    log.to("relu_with_mask", LEN, |y: &mut [E]| {
        backend.relu_with_mask(x, y, &mut mask)
    });
    log.add("the mask", mask.map(u64::from));
    log.to("relu_mask_backward", LEN, |dx: &mut [E]| {
        backend.relu_mask_backward(&mask, dy, dx)
    });
    let mut n = 0;
    log.to("relu_with_count", LEN, |y: &mut [E]| {
        n = backend.relu_with_count(x, y)
    });
    log.add("the count", [n as u64]);
    log.add("count_nonzero", [backend.count_nonzero(x) as u64]);
    let (indices, values) = backend.compact_to_vecs::<u32, E>(x);
    log.add("compact's indices", indices.into_iter().map(u64::from));
    log.floats("compact's values", &values);
    let (indices, values) = backend.relu_compact_to_vecs::<u64, E>(x);
    log.add("relu_compact's indices", indices);
    log.floats("relu_compact's values", &values);
}
