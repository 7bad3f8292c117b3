//! Pixels for plotters: its shapes, and text of the bundled font.
//!
//! plotters' own bitmap backend leaves stair-steps on thick lines and sets letters without their
//! side bearings. Here a picture is drawn [`OVERSAMPLING`] times too large and averaged down.

use std::convert::Infallible;

use ab_glyph::{Font, FontRef, Glyph, ScaleFont, point};
use anyhow::Result;
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};

/// How many pixels are drawn for one that is shown, in each direction.
pub const OVERSAMPLING: u32 = 3;

/// An image being drawn, white at first.
pub struct Canvas<'a> {
    width: u32,
    rgb: &'a mut [u8],
    font: &'a FontRef<'static>,
}

impl<'a> Canvas<'a> {
    /// On `rgb`, three bytes for each pixel, rows of `width` from the top.
    pub fn new(rgb: &'a mut [u8], width: u32, font: &'a FontRef<'static>) -> Self {
        rgb.fill(0xFF);
        Self { width, rgb, font }
    }
}

type Outcome = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for Canvas<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (self.width, self.rgb.len() as u32 / 3 / self.width)
    }

    fn ensure_prepared(&mut self) -> Outcome {
        Ok(())
    }

    fn present(&mut self) -> Outcome {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Outcome {
        let (width, height) = self.get_size();
        if (0..width as i32).contains(&x) && (0..height as i32).contains(&y) {
            let at = 3 * (y as usize * width as usize + x as usize);
            let (r, g, b) = color.rgb;
            for (below, above) in self.rgb[at..].iter_mut().zip([r, g, b]) {
                let mix = f64::from(*below) * (1.0 - color.alpha) + f64::from(above) * color.alpha;
                *below = mix.round() as u8;
            }
        }
        Ok(())
    }

    /// As the SVG backend sets it, which leaves it to the viewer: `style`'s size is 1.24 em, its
    /// anchor a baseline.
    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> Outcome {
        let em = style.size() as f32 / 1.24;
        let per_em = self.font.units_per_em().unwrap_or(2048.0);
        let font = self
            .font
            .as_scaled(em * self.font.height_unscaled() / per_em);

        let mut glyphs: Vec<Glyph> = Vec::new();
        let mut width = 0.0;
        for c in text.chars() {
            let mut glyph = font.scaled_glyph(c);
            if let Some(last) = glyphs.last() {
                width += font.kern(last.id, glyph.id);
            }
            glyph.position = point(width, 0.0);
            width += font.h_advance(glyph.id);
            glyphs.push(glyph);
        }

        let anchor = style.anchor();
        let left = match anchor.h_pos {
            HPos::Left => 0.0,
            HPos::Center => -width / 2.0,
            HPos::Right => -width,
        };
        let baseline = match anchor.v_pos {
            VPos::Top => 0.76 * em,
            VPos::Center => 0.265 * em,
            VPos::Bottom => -0.265 * em,
        };
        for mut glyph in glyphs {
            glyph.position.x += x as f32 + left;
            glyph.position.y += y as f32 + baseline;
            if let Some(outline) = font.outline_glyph(glyph) {
                let corner = outline.px_bounds().min;
                let mut pixels = Vec::new();
                outline.draw(|i, j, coverage| pixels.push((i, j, coverage)));
                for (i, j, coverage) in pixels {
                    let at = (corner.x as i32 + i as i32, corner.y as i32 + j as i32);
                    let alpha = style.color().alpha * f64::from(coverage.min(1.0));
                    self.draw_pixel(
                        at,
                        BackendColor {
                            alpha,
                            ..style.color()
                        },
                    )?;
                }
            }
        }
        Ok(())
    }
}

/// Averages an image of `OVERSAMPLING` times `size` down to `size`, as a PNG file.
pub fn png(rgb: &[u8], (width, height): (u32, u32)) -> Result<Vec<u8>> {
    const N: usize = OVERSAMPLING as usize;
    let row = 3 * N * width as usize;
    let mut small = Vec::with_capacity(3 * width as usize * height as usize);
    for rows in rgb.chunks_exact(N * row) {
        for x in 0..width as usize {
            for channel in 0..3 {
                let cell = (0..N * N).map(|i| {
                    let at = i / N * row + 3 * (N * x + i % N) + channel;
                    usize::from(rows[at])
                });
                small.push(((cell.sum::<usize>() + N * N / 2) / (N * N)) as u8);
            }
        }
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&small)?;
    Ok(file)
}
