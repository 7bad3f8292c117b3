//! Lines, dots and text, measured in pixels whatever the backend's units are.

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// The name the bundled font goes by; an SVG asks its viewer for it.
pub const FAMILY: &str = "sans-serif";

pub const INK: RGBColor = RGBColor(40, 40, 40);

/// A place in units of the backend.
pub type Place = (i32, i32);

/// Draws on `root`, where a pixel is `scale` units.
pub struct Pen<'a, DB: DrawingBackend> {
    pub root: &'a DrawingArea<DB, Shift>,
    pub scale: u32,
}

impl<DB: DrawingBackend> Pen<'_, DB> {
    /// `n` pixels in units.
    pub fn px(&self, n: u32) -> i32 {
        (n * self.scale) as i32
    }

    /// A line through `places`, `width` pixels thick.
    pub fn line(&self, places: Vec<Place>, width: u32, color: RGBColor) -> Result<()> {
        let style = color.stroke_width(width * self.scale);
        self.put(&PathElement::new(places, style))
    }

    /// A line in dashes of `dash` pixels.
    pub fn dashes(&self, places: Vec<Place>, dash: u32, width: u32, color: RGBColor) -> Result<()> {
        let style = color.stroke_width(width * self.scale);
        let (dash, gap) = (self.px(dash), self.px(dash * 2 / 3));
        self.put(&DashedPathElement::new(places, dash, gap, style))
    }

    /// A disc, or a ring where the line does not reach.
    pub fn dot(&self, place: Place, filled: bool, color: RGBColor) -> Result<()> {
        self.put(&Circle::new(place, self.px(5), color.filled()))?;
        if !filled {
            self.put(&Circle::new(place, self.px(3), WHITE.filled()))?;
        }
        Ok(())
    }

    /// Text of `size` pixels, its anchor `h`, `v` at `place`.
    pub fn text(&self, text: &str, size: u32, h: HPos, v: VPos, place: Place) -> Result<()> {
        let style = self.style(size).pos(Pos::new(h, v));
        let drawn = self.root.draw_text(text, &style, place);
        drawn.map_err(|error| anyhow!("cannot draw: {error}"))
    }

    /// How wide such text is.
    pub fn width(&self, text: &str, size: u32) -> Result<i32> {
        let size = self.root.estimate_text_size(text, &self.style(size));
        let (width, _) = size.map_err(|error| anyhow!("cannot draw: {error}"))?;
        Ok(width as i32)
    }

    /// The largest size, up to `size`, at which text is no wider than `room`; 8 if none is, which is
    /// as small as can be read.
    pub fn fitting(&self, text: &str, size: u32, room: i32) -> Result<u32> {
        let mut size = size;
        while size > 8 && self.width(text, size)? > room {
            size -= 1;
        }
        Ok(size)
    }

    fn style(&self, size: u32) -> TextStyle<'static> {
        // plotters' sizes are 1.24 em.
        let size = 1.24 * f64::from(size * self.scale);
        TextStyle::from((FAMILY, size)).color(&INK)
    }

    fn put<'e, E>(&self, element: &'e E) -> Result<()>
    where
        &'e E: plotters::element::PointCollection<'e, Place>,
        E: plotters::element::Drawable<DB>,
    {
        let drawn = self.root.draw(element);
        drawn.map_err(|error| anyhow!("cannot draw: {error}"))
    }
}
