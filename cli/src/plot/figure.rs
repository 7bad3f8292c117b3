//! Lines over two axes, drawn as SVG or PNG.

use std::ops::Range;

use ab_glyph::FontRef;
use anyhow::{Result, anyhow, bail};
use plotters::prelude::*;
use plotters::style::register_font;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{self, Canvas, OVERSAMPLING};
use super::curve::Point;
use super::pen::{FAMILY, INK, Pen, Place};

/// Roboto Regular: Latin, Greek and mathematical signs. See `assets/README.md`.
const FONT: &[u8] = include_bytes!("../../assets/Roboto-subset.ttf");

/// Okabe and Ito's colours, told apart by the colour-blind too.
const COLORS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(90, 90, 90),
];
const GRID: RGBColor = RGBColor(225, 225, 225);

/// SVG coordinates are whole numbers to plotters; it is given this many to the pixel.
const SVG_UNITS: u32 = 16;

/// A picture of lines over two axes.
pub struct Figure {
    /// Above the picture; may be empty.
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    /// Whether the axes go through the origin, or along the edges.
    pub through_origin: bool,
    /// Places on the x axis to mark by a vertical line with a name.
    pub guides: Vec<(f64, String)>,
    pub series: Vec<Series>,
}

/// One axis: what it shows, and which values it labels.
pub struct Axis {
    pub label: String,
    pub range: Range<f64>,
    pub ticks: Vec<f64>,
    pub format: fn(f64) -> String,
}

impl Axis {
    /// An axis of plain numbers, about `count` of them labelled.
    pub fn numbers(label: &str, range: Range<f64>, count: u32) -> Self {
        Self {
            label: label.into(),
            ticks: ticks(&range, count),
            range,
            format: |x| number(x, 10),
        }
    }
}

/// A line of the picture, in one piece or several.
pub struct Series {
    pub name: String,
    /// Which colour, counted from 0.
    pub color: usize,
    pub dashed: bool,
    pub pieces: Vec<Vec<Point>>,
    /// Marks on the line and off it: filled, or hollow.
    pub dots: Vec<(Point, bool)>,
}

impl Series {
    fn color(&self) -> RGBColor {
        COLORS[self.color % COLORS.len()]
    }
}

/// A file format of pictures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Format {
    Svg,
    Png,
}

impl Figure {
    /// The picture as a file of `format`, `size` pixels wide and high.
    pub fn render(&self, format: Format, (width, height): (u32, u32)) -> Result<Vec<u8>> {
        let font = FontRef::try_from_slice(FONT)?;
        if register_font(FAMILY, FontStyle::Normal, FONT).is_err() {
            bail!("plotters refuses the bundled font");
        }
        match format {
            Format::Svg => {
                let (w, h) = (SVG_UNITS * width, SVG_UNITS * height);
                let mut svg = String::new();
                self.draw(SVGBackend::with_string(&mut svg, (w, h)), SVG_UNITS)?;
                let head = format!("width=\"{w}\" height=\"{h}\"");
                let shown = format!("width=\"{width}\" height=\"{height}\"");
                Ok(svg.replacen(&head, &shown, 1).into_bytes())
            }
            Format::Png => {
                let (w, h) = (OVERSAMPLING * width, OVERSAMPLING * height);
                let mut rgb = vec![0; 3 * w as usize * h as usize];
                self.draw(Canvas::new(&mut rgb, w, &font), OVERSAMPLING)?;
                canvas::png(&rgb, (width, height))
            }
        }
    }

    fn draw<DB: DrawingBackend>(&self, backend: DB, scale: u32) -> Result<()> {
        let root = backend.into_drawing_area();
        root.fill(&WHITE)
            .map_err(|error| anyhow!("cannot draw: {error}"))?;
        let (width, height) = root.dim_in_pixel();
        let (width, height) = (width as i32, height as i32);
        let pen = Pen { root: &root, scale };
        let px = |n| pen.px(n);

        let mut label_width = 0;
        for &y in &self.y.ticks {
            label_width = label_width.max(pen.width(&(self.y.format)(y), 13)?);
        }
        let (left, right) = (px(24) + label_width, width - px(28));
        let mut top = px(16);
        if !self.title.is_empty() {
            let size = pen.fitting(&self.title, 19, width - px(16))?;
            pen.text(&self.title, size, HPos::Center, VPos::Top, (width / 2, top))?;
            top += px(32);
        }
        top = self.draw_legend(&pen, left..right, top)?;
        if !self.y.label.is_empty() {
            pen.text(&self.y.label, 13, HPos::Left, VPos::Top, (px(16), top))?;
            top += px(18);
        }
        if !self.guides.is_empty() {
            top += px(18);
        }
        top += px(8);
        let mut bottom = height - px(40);
        if !self.x.label.is_empty() {
            let at = ((left + right) / 2, height - px(28));
            pen.text(&self.x.label, 13, HPos::Center, VPos::Top, at)?;
            bottom -= px(16);
        }
        if right - left < px(40) || bottom - top < px(40) {
            bail!("the picture is too small for its title and labels; give a larger --size");
        }

        let place = |(x, y): Point| -> Place {
            let part = |v, r: &Range<f64>| (v - r.start) / (r.end - r.start);
            let x = f64::from(left) + f64::from(right - left) * part(x, &self.x.range);
            let y = f64::from(bottom) - f64::from(bottom - top) * part(y, &self.y.range);
            (x.round() as i32, y.round() as i32)
        };
        self.draw_axes(&pen, (left, top), (right, bottom), &place)?;
        for series in &self.series {
            for piece in &series.pieces {
                let places = piece.iter().map(|&point| place(point)).collect();
                if series.dashed {
                    pen.dashes(places, 9, 2, series.color())?;
                } else {
                    pen.line(places, 2, series.color())?;
                }
            }
        }
        for series in &self.series {
            for &(point, filled) in &series.dots {
                pen.dot(place(point), filled, series.color())?;
            }
        }
        root.present()
            .map_err(|error| anyhow!("cannot draw: {error}"))
    }

    /// The names of the lines, in rows from `top` down. Returns where they end.
    fn draw_legend<DB: DrawingBackend>(
        &self,
        pen: &Pen<'_, DB>,
        across: Range<i32>,
        mut top: i32,
    ) -> Result<i32> {
        if self.series.len() < 2 {
            return Ok(top);
        }
        let px = |n| pen.px(n);
        let mut x = across.start;
        for series in &self.series {
            // A viewer of SVG has fonts of its own, a little wider perhaps.
            let room = (across.end - across.start - px(34)) * 5 / 6;
            let size = pen.fitting(&series.name, 14, room)?;
            let width = px(34) + pen.width(&series.name, size)? * 6 / 5;
            if x > across.start && x + width > across.end {
                x = across.start;
                top += px(22);
            }
            let sample = vec![(x, top + px(8)), (x + px(26), top + px(8))];
            if series.dashed {
                pen.dashes(sample, 6, 2, series.color())?;
            } else {
                pen.line(sample, 2, series.color())?;
            }
            let at = (x + px(34), top + px(8));
            pen.text(&series.name, size, HPos::Left, VPos::Center, at)?;
            x += width + px(20);
        }
        Ok(top + px(26))
    }

    fn draw_axes<DB: DrawingBackend>(
        &self,
        pen: &Pen<'_, DB>,
        (left, top): Place,
        (right, bottom): Place,
        place: &dyn Fn(Point) -> Place,
    ) -> Result<()> {
        let (x_axis, y_axis) = (&self.x, &self.y);
        let column = |x| place((x, y_axis.range.start)).0;
        let row = |y| place((x_axis.range.start, y)).1;
        let vertical = |x| vec![(column(x), top), (column(x), bottom)];
        let horizontal = |y| vec![(left, row(y)), (right, row(y))];

        for &x in &x_axis.ticks {
            pen.line(vertical(x), 1, GRID)?;
            let at = (column(x), bottom + pen.px(8));
            pen.text(&(x_axis.format)(x), 13, HPos::Center, VPos::Top, at)?;
        }
        for &y in &y_axis.ticks {
            pen.line(horizontal(y), 1, GRID)?;
            let at = (left - pen.px(8), row(y));
            pen.text(&(y_axis.format)(y), 13, HPos::Right, VPos::Center, at)?;
        }
        for (x, name) in &self.guides {
            pen.dashes(vertical(*x), 3, 1, INK)?;
            let at = (column(*x), top - pen.px(4));
            pen.text(name, 12, HPos::Center, VPos::Bottom, at)?;
        }
        let edge = (x_axis.range.start, y_axis.range.start);
        let (x, y) = if self.through_origin {
            (0.0, 0.0)
        } else {
            edge
        };
        if y_axis.range.contains(&y) {
            pen.line(horizontal(y), 1, INK)?;
        }
        if x_axis.range.contains(&x) {
            pen.line(vertical(x), 1, INK)?;
        }
        Ok(())
    }
}

/// `range` with a little room on both sides; never empty.
pub fn padded((low, high): (f64, f64)) -> Range<f64> {
    let room = 0.06 * (high - low);
    let room = if room > 0.0 { room } else { low.abs().max(1.0) };
    low - room..high + room
}

/// Round numbers in `range`, about `count` of them.
pub fn ticks(range: &Range<f64>, count: u32) -> Vec<f64> {
    let rough = (range.end - range.start) / f64::from(count);
    let decade = 10f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * decade);
    let step = steps.into_iter().find(|&step| step >= 0.999 * rough);
    let step = step.unwrap_or(10.0 * decade);
    // Rounding shall not cost a tick at either end.
    let first = (range.start / step - 1e-9).ceil();
    // Counted, not summed: the last of many sums would be off, and one too small to change its
    // sum would never end.
    (0..=2 * count)
        .map(|i| (first + f64::from(i)) * step)
        .take_while(|&tick| tick <= range.end + 1e-9 * step)
        .collect()
}

/// As short as it is exact to so many digits.
pub fn number(x: f64, digits: usize) -> String {
    if x.is_infinite() {
        return if x < 0.0 { "−∞" } else { "∞" }.into();
    }
    let x = if x == 0.0 { 0.0 } else { x };
    let text = format!("{x:.*e}", digits - 1);
    let rounded: f64 = text.parse().unwrap_or(x);
    if rounded != 0.0 && !(1e-4..1e6).contains(&rounded.abs()) {
        format!("{rounded:e}")
    } else {
        format!("{rounded}")
    }
    .replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_within_the_range() {
        assert_eq!(
            ticks(&(-5.0..5.0), 10),
            (-5..=5).map(f64::from).collect::<Vec<_>>()
        );
        assert_eq!(
            ticks(&(0.0..0.7), 8),
            [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7].map(|t: f64| (t * 10.0).round() * 0.1)
        );
        assert_eq!(ticks(&(-0.3..5.3), 6), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        for range in [1e-300..2e-300, -1e300..1e300, 1e6..1e6 + 1.0] {
            let ticks = ticks(&range, 8);
            assert!((4..=17).contains(&ticks.len()), "{ticks:?}");
            assert!(ticks.iter().all(|&t| range.start <= t && t <= range.end));
        }
    }

    #[test]
    fn numbers_are_short() {
        let texts = [0.1 + 0.2, -0.0, -5.0, 1e7, 2.5e-7, 1000.5].map(|x| number(x, 10));
        assert_eq!(texts, ["0.3", "0", "−5", "1e7", "2.5e−7", "1000.5"]);
        let texts = [1.0 / 6.0, 12345678.0, f64::NEG_INFINITY].map(|x| number(x, 6));
        assert_eq!(texts, ["0.166667", "1.23457e7", "−∞"]);
    }

    #[test]
    fn the_font_has_every_letter_of_every_formula() {
        use ab_glyph::Font;
        let font = FontRef::try_from_slice(FONT).unwrap();
        for op in halfwave::Op::all() {
            for c in format!("{op}(x) = {} −′∞", op.formula()).chars() {
                assert_ne!(font.glyph_id(c).0, 0, "{c:?} of {op}; see assets/README.md");
            }
        }
    }
}
