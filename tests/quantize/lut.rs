//! Tables of bytes.

use std::mem::MaybeUninit;

use halfwave::{Lut8, Op, Quantization, Quantized, Relu};

use crate::{all, assert_same, on_three_threads, thresholds, to, zero_points};

/// One entry of a table, in plain arithmetic.
fn entry<P: Quantized, Q: Quantized>(
    p: P,
    of: Quantization<P>,
    f: &dyn Fn(f64) -> f64,
    to: Quantization<Q>,
) -> Q {
    let (p_zero, q_zero): (i32, i32) = (of.zero_point().into(), to.zero_point().into());
    let x = f64::from(p.into() - p_zero) * f64::from(of.scale());
    let steps = f(x) / f64::from(to.scale());
    let q = steps.round_ties_even() as i64; // NaN is 0
    let q = q
        .saturating_add(q_zero.into())
        .clamp(Q::MIN.into(), Q::MAX.into());
    Q::try_from(q as i32).ok().expect("clamped")
}

#[test]
fn every_entry_of_many_tables() {
    fn test<P: Quantized, Q: Quantized>() {
        let p: Vec<P> = (0..=255).map(P::of_bits).collect();
        for (in_scale, out_scale) in [(0.1, 0.05), (1.0, 1.0), (0.02, 3.0), (1e30, 1e-30)] {
            for (p_zero, q_zero) in zero_points::<P>().into_iter().zip(zero_points::<Q>()) {
                let (of, to) = (to::<P>(in_scale, p_zero), to::<Q>(out_scale, q_zero));
                for op in Op::all() {
                    let f = |x: f64| {
                        let mut y = [x];
                        op.apply_in_place(&mut y).unwrap();
                        y[0]
                    };
                    let want: Vec<Q> = p.iter().map(|p| entry(*p, of, &f, to)).collect();
                    let lut = Lut8::new(*op, of, to);
                    assert_eq!(lut, Lut8::from_fn(f, of, to), "{op}");
                    assert_eq!(lut.table()[..], want, "{op}");
                    for b in all() {
                        let mut q = vec![Q::default(); 256];
                        b.lookup(&lut, &p, &mut q);
                        assert_same(&q, &want, (b, op, of, to));
                    }
                }
            }
        }
    }
    test::<i8, i8>();
    test::<u8, u8>();
    test::<i8, u8>();
    test::<u8, i8>();
}

#[test]
fn a_table_of_a_function_that_is_not_a_number() {
    let (of, to) = (to::<i8>(1.0, 0), to::<u8>(0.5, 40));
    assert_eq!(Lut8::from_fn(|_| f64::NAN, of, to).table(), [40; 256]);
    assert_eq!(Lut8::from_fn(|_| f64::INFINITY, of, to).table(), [255; 256]);
    assert_eq!(Lut8::from_fn(|x| -x / 0.0, of, to).table()[1], 0);
    assert_eq!(
        Lut8::new(Relu, of, to),
        Lut8::new("relu".parse::<Op>().unwrap(), of, to)
    );
}

/// Any table, on every input in every lane, length, offset and form.
#[test]
fn lookup_in_every_lane_length_and_form() {
    let table: [u8; 256] = std::array::from_fn(|i| (i * 167 + 91 + i / 7) as u8);
    let lut = Lut8::<u8>::from_table(table);
    let all_x: Vec<u8> = (0..256 * 33).map(|i| (i + i / 256 * 8) as u8).collect();
    let want_all: Vec<u8> = all_x.iter().map(|x| table[usize::from(*x)]).collect();
    for b in all() {
        let mut y = vec![0; all_x.len()];
        b.lookup(&lut, &all_x, &mut y);
        assert_same(&y, &want_all, b);
        for len in 0..=4 * 32 + 3 {
            for offset in 0..33 {
                let (x, want) = (&all_x[offset * 3..][..len], &want_all[offset * 3..][..len]);
                let mut y = [0xA5; 200];
                b.lookup(&lut, x, &mut y[offset..][..len]);
                assert_same(&y[offset..][..len], want, (b, len, offset));
                assert!(
                    y[..offset]
                        .iter()
                        .chain(&y[offset + len..])
                        .all(|y| *y == 0xA5)
                );

                y[offset..][..len].copy_from_slice(x);
                b.lookup_in_place(&lut, &mut y[offset..][..len]);
                assert_same(&y[offset..][..len], want, (b, len, offset));
                assert!(
                    y[..offset]
                        .iter()
                        .chain(&y[offset + len..])
                        .all(|y| *y == 0xA5)
                );
            }
        }
    }
}

#[test]
fn lookup_streamed_and_parallel() {
    let lut = Lut8::<i8>::from_table(std::array::from_fn(|i| (i * 31) as i8));
    let table = lut.table();
    let max = thresholds::streamed::<i8>() + 77;
    let x: Vec<i8> = (0..max).map(|i| (i * 7 + i / 256) as i8).collect();
    let want: Vec<i8> = x.iter().map(|x| table[usize::from(*x as u8)]).collect();
    on_three_threads(|| {
        for len in [3, thresholds::split() / 2 + 9, max] {
            let (x, want) = (&x[..len], &want[..len]);
            for b in all() {
                let mut y = vec![0; len];
                b.lookup(&lut, x, &mut y);
                assert_same(&y, want, (b, len));
                let mut y = vec![MaybeUninit::uninit(); len];
                assert_same(b.lookup_uninit(&lut, x, &mut y), want, (b, len));
                let mut y = x.to_vec();
                b.lookup_in_place(&lut, &mut y);
                assert_same(&y, want, (b, len));
            }
            let mut y = x.to_vec();
            lut.par_apply_in_place(&mut y);
            assert_same(&y, want, "par_apply_in_place");
            y.fill(0);
            lut.par_apply(x, &mut y);
            assert_same(&y, want, "par_apply");
        }
    });
}
