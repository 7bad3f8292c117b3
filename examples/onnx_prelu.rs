//! ONNX's [PRelu](https://onnx.ai/onnx/operators/onnx__PRelu.html): how a slope that is broadcast to
//! the shape of x becomes a [`Prelu`]. Axes are matched from the last one backwards:
//!
//! | shape of x | shape of the slope | [`Prelu`] |
//! |---|---|---|
//! | any | `1` | `Shared` |
//! | `8x3x32x32` | `8x3x32x32` | `PerElement` |
//! | `8x3x32x32` (images by channel, NCHW) | `3x1x1` | `PerChannel`, `inner` 32 · 32 |
//! | `8x32x32x3` (channels last, NHWC) | `3` | `PerChannel`, `inner` 1 |
//!
//! Arrays are files of `f32`, little-endian, as NumPy's `tofile` writes them:
//!
//! ```sh
//! python3 -c '
//! import numpy
//! numpy.array([-1, -2, 3, -4], "<f4").tofile("x")
//! numpy.array([0.5, 0.25], "<f4").tofile("slope")'
//! cargo run --release --example onnx_prelu -- x 2x2 slope 2 y
//! python3 -c 'import numpy; print(numpy.fromfile("y", "<f4"))'    # [-0.5 -0.5 3. -1.]
//! ```

use std::error::Error;
use std::fs;

use halfwave::Prelu;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [x, x_shape, slope, slope_shape, y] = &args[..] else {
        return Err("usage: onnx_prelu X SHAPE SLOPE SHAPE Y, with shapes like 3x4x5".into());
    };
    let (x, x_shape) = read(x, x_shape)?;
    let (slope, slope_shape) = read(slope, slope_shape)?;
    let prelu = broadcast(&slope, &slope_shape, &x_shape).ok_or_else(|| {
        format!(
            "a slope of {slope_shape:?} to an x of {x_shape:?}: its axes must be neighbours in x"
        )
    })?;
    let result = prelu.apply_to_vec(&x);
    let bytes: Vec<u8> = result.into_iter().flat_map(f32::to_le_bytes).collect();
    fs::write(y, bytes).map_err(|e| format!("{y}: {e}"))?;
    Ok(())
}

/// The slopes for an x of this shape; none if the axes that have slopes are not neighbours.
fn broadcast<'a>(
    slopes: &'a [f32],
    mut shape: &[usize],
    mut x_shape: &[usize],
) -> Option<Prelu<'a, f32>> {
    if let [slope] = slopes {
        return Some(Prelu::Shared(*slope));
    }
    if shape == x_shape {
        return Some(Prelu::PerElement(slopes));
    }
    // Along the last axes neighbours share a slope, ...
    let mut inner = 1;
    while let ([first @ .., 1], [x_first @ .., n]) = (shape, x_shape) {
        inner *= n;
        (shape, x_shape) = (first, x_first);
    }
    // ... and along the first ones all slopes are used again.
    while let [1, rest @ ..] = shape {
        shape = rest;
    }
    let fits = x_shape.ends_with(shape);
    fits.then_some(Prelu::PerChannel { slopes, inner })
}

/// An array and its shape.
fn read(path: &str, shape: &str) -> Result<(Vec<f32>, Vec<usize>), String> {
    let shape: Vec<usize> = shape
        .split('x')
        .map(|n| n.parse().map_err(|e| format!("{shape}: {e}")))
        .collect::<Result<_, _>>()?;
    let bytes = fs::read(path).map_err(|e| format!("{path}: {e}"))?;
    let elements: usize = shape.iter().product();
    if bytes.len() != 4 * elements {
        let len = bytes.len();
        return Err(format!(
            "{path} has {len} bytes, but {shape:?} takes 4 · {elements}"
        ));
    }
    let (words, _) = bytes.as_chunks();
    let array = words.iter().map(|&word| f32::from_le_bytes(word)).collect();
    Ok((array, shape))
}
