//! A raster as pixels: one column a step, for tools that show images.

use super::classes::rgb;
use super::raster::RasterData;
use barnowl_base::error::{Error, Result};

/// Rows between the parts.
const GAP: usize = 4;
/// Rows of a ribbon of classes.
const RIBBON: usize = 8;
/// Rows of a channel or neuron: enough to be seen where there are few.
fn rows(lines: usize) -> usize {
    (240 / lines.max(1)).clamp(1, 6)
}

const WHITE: [u8; 3] = [255; 3];
const INPUT: [u8; 3] = [0x00, 0x72, 0xb2];
const MINUS: [u8; 3] = [0xd5, 0x5e, 0x00];
const HIDDEN: [u8; 3] = [0x22, 0x22, 0x22];

/// A picture of `width · height` pixels, red, green and blue a byte each, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitmap {
    /// Pixels of a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The pixels.
    pub pixels: Vec<u8>,
}

impl Bitmap {
    /// The picture as a PNG file.
    ///
    /// # Errors
    ///
    /// If the pixels are not as many as width and height say.
    pub fn png(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        let written =
            encoder.write_header().and_then(|mut writer| writer.write_image_data(&self.pixels));
        written.map_err(|error| Error::format(format!("no PNG of this picture: {error}")))?;
        Ok(bytes)
    }
}

/// From the top: input channels, hidden layers, the true and the predicted class.
///
/// The larger a value, the darker; of a part, the largest magnitude is darkest. Negative values have a colour of their own.
#[must_use]
pub fn raster_pixels(data: &RasterData) -> Bitmap {
    let mut picture = Picture { width: data.steps, pixels: Vec::new() };
    picture.lines(&data.input, data.channels, INPUT);
    for layer in &data.layers {
        picture.gap();
        picture.lines(&layer.spikes, layer.neurons, HIDDEN);
    }
    // Of numbers there are none.
    for classes in [&data.target, &data.prediction].into_iter().filter(|all| !all.is_empty()) {
        picture.gap();
        picture.ribbon(classes);
    }
    let height = picture.pixels.len() / (3 * data.steps.max(1));
    Bitmap { width: data.steps as u32, height: height as u32, pixels: picture.pixels }
}

struct Picture {
    width: usize,
    pixels: Vec<u8>,
}

impl Picture {
    fn gap(&mut self) {
        self.pixels.extend(vec![255; 3 * self.width * GAP]);
    }

    /// `values`, `[T, lines]`.
    fn lines(&mut self, values: &[f32], lines: usize, colour: [u8; 3]) {
        let most =
            values.iter().filter(|x| x.is_finite()).fold(0.0_f32, |most, x| most.max(x.abs()));
        for line in 0..lines {
            let mut row = Vec::with_capacity(3 * self.width);
            for t in 0..self.width {
                let value = values.get(t * lines + line).copied().unwrap_or(0.0);
                let share = if most > 0.0 && value.is_finite() { value.abs() / most } else { 0.0 };
                let ink = if value < 0.0 { MINUS } else { colour };
                row.extend(WHITE.iter().zip(ink).map(|(&white, ink)| {
                    (f32::from(white) + share * (f32::from(ink) - f32::from(white))) as u8
                }));
            }
            for _ in 0..rows(lines) {
                self.pixels.extend(&row);
            }
        }
    }

    /// The class of every step, or of all.
    fn ribbon(&mut self, classes: &[u16]) {
        let class = |t: usize| classes.get(t).or(classes.last()).copied().unwrap_or_default();
        let row: Vec<u8> = (0..self.width).flat_map(|t| rgb(usize::from(class(t)))).collect();
        for _ in 0..RIBBON {
            self.pixels.extend(&row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::raster::LayerSpikes;
    use super::*;

    #[test]
    fn every_part_has_its_rows() {
        let data = RasterData {
            title: String::new(),
            steps: 3,
            sampling_rate: None,
            channels: 2,
            input: vec![1.0, 0.0, -1.0, 0.0, 0.0, 0.5],
            layers: vec![LayerSpikes { name: String::new(), neurons: 240, spikes: vec![1.0; 720] }],
            readout_name: String::new(),
            readout: Vec::new(),
            classes: vec!["a".into(), "b".into()],
            target: vec![0, 1, 1],
            prediction: vec![1],
        };
        let picture = raster_pixels(&data);
        let height = 2 * 6 + GAP + 240 + 2 * (GAP + RIBBON);
        assert_eq!((picture.width, picture.height as usize), (3, height));
        assert_eq!(picture.pixels.len(), 3 * 3 * height);
        let pixel = |row: usize, t: usize| &picture.pixels[3 * (row * 3 + t)..][..3];
        assert_eq!((pixel(0, 0), pixel(0, 1), pixel(0, 2)), (&INPUT[..], &MINUS[..], &WHITE[..]));
        // Half as strong: half-way to white.
        assert_eq!(pixel(6, 2), [127, 184, 216]);
        assert_eq!(pixel(12 + GAP, 0), HIDDEN);
        assert_eq!(pixel(height - 1, 0), rgb(1));
        assert_eq!(pixel(height - RIBBON - GAP - 1, 0), rgb(0));
    }

    #[test]
    fn a_picture_of_the_wrong_size_is_refused() {
        assert!(Bitmap { width: 3, height: 2, pixels: vec![0; 17] }.png().is_err());
    }
}
