//! Event files for TensorBoard: numbers, histograms and images, by epoch.
//!
//! A file is a chain of records, each a length, its checksum, a protocol-buffer `Event` and its checksum. The messages and
//! their field numbers are those of TensorFlow's `event.proto`, `summary.proto` and `histogram.proto`; the checksum is
//! CRC-32C, rotated and shifted so that a checksum of checksums is no constant (TensorFlow's `record_writer`).

use super::pixels::Bitmap;
use barnowl_base::error::{Error, Result};
use prost::Message;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Bins of a histogram.
const BINS: usize = 30;

#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5, 7")]
    what: Option<What>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    Session(Session),
}

/// `SessionLog`: with status 1, events of this step and later steps in older files are void.
#[derive(Clone, PartialEq, Message)]
struct Session {
    #[prost(int32, tag = "1")]
    status: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    values: Vec<Tagged>,
}

#[derive(Clone, PartialEq, Message)]
struct Tagged {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(oneof = "Value", tags = "2, 4, 5")]
    value: Option<Value>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Value {
    #[prost(float, tag = "2")]
    Scalar(f32),
    #[prost(message, tag = "4")]
    Image(Image),
    #[prost(message, tag = "5")]
    Histogram(Histogram),
}

#[derive(Clone, PartialEq, Message)]
struct Image {
    #[prost(int32, tag = "1")]
    height: i32,
    #[prost(int32, tag = "2")]
    width: i32,
    /// 3: red, green and blue.
    #[prost(int32, tag = "3")]
    colorspace: i32,
    #[prost(bytes = "vec", tag = "4")]
    encoded: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Histogram {
    #[prost(double, tag = "1")]
    min: f64,
    #[prost(double, tag = "2")]
    max: f64,
    #[prost(double, tag = "3")]
    num: f64,
    #[prost(double, tag = "4")]
    sum: f64,
    #[prost(double, tag = "5")]
    sum_squares: f64,
    /// The upper ends of the bins.
    #[prost(double, repeated, tag = "6")]
    bucket_limit: Vec<f64>,
    #[prost(double, repeated, tag = "7")]
    bucket: Vec<f64>,
}

/// An event file, open for writing. What was written is on its way to the disk after every call, so that TensorBoard
/// follows a run and a run that is killed leaves whole records.
#[derive(Debug)]
pub struct EventFile {
    file: File,
    path: PathBuf,
}

/// What is told of one step, under one tag each.
#[derive(Debug, Clone, Default)]
pub struct Events {
    values: Vec<Tagged>,
}

impl Events {
    /// A number.
    pub fn scalar(&mut self, tag: impl Into<String>, value: f64) {
        self.push(tag, Value::Scalar(value as f32));
    }

    /// How values are spread. Values that are no number are left out.
    pub fn histogram(&mut self, tag: impl Into<String>, values: &[f32]) {
        let numbers = || values.iter().map(|value| f64::from(*value)).filter(|x| x.is_finite());
        let Some((min, max)) = super::extent(numbers()) else {
            return;
        };
        let width = (max - min).max(f64::EPSILON * max.abs()).max(f64::MIN_POSITIVE);
        let mut bucket = vec![0.0; BINS];
        for value in numbers() {
            let bin = ((value - min) / width * BINS as f64) as usize;
            bucket[bin.min(BINS - 1)] += 1.0;
        }
        let mut bucket_limit: Vec<f64> =
            (1..=BINS).map(|i| min + width * i as f64 / BINS as f64).collect();
        bucket_limit[BINS - 1] = bucket_limit[BINS - 1].max(max);
        let histogram = Histogram {
            min,
            max,
            num: bucket.iter().sum(),
            sum: numbers().sum(),
            sum_squares: numbers().map(|x| x * x).sum(),
            bucket_limit,
            bucket,
        };
        self.push(tag, Value::Histogram(histogram));
    }

    /// A picture.
    ///
    /// # Errors
    ///
    /// If the pixels are not as many as width and height say.
    pub fn image(&mut self, tag: impl Into<String>, picture: &Bitmap) -> Result<()> {
        let [height, width] = [picture.height, picture.width].map(|n| n as i32);
        let image = Image { height, width, colorspace: 3, encoded: picture.png()? };
        self.push(tag, Value::Image(image));
        Ok(())
    }

    fn push(&mut self, tag: impl Into<String>, value: Value) {
        self.values.push(Tagged { tag: tag.into(), value: Some(value) });
    }
}

impl EventFile {
    /// A new event file in `folder`, for events from step `first` on: those that older files there have of this step and
    /// later ones are void, since a run that resumes tells them again.
    ///
    /// # Errors
    ///
    /// If the file cannot be made.
    pub fn create(folder: &Path, first: u64) -> Result<Self> {
        let seconds = now() as u64;
        let mut number = 0;
        loop {
            // TensorBoard reads the files of a folder in the order of their names.
            let name = format!("events.out.tfevents.{seconds:010}.{number:04}.barnowl");
            let path = folder.join(name);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    let mut events = Self { file, path };
                    events.event(0, What::FileVersion("brain.Event:2".into()))?;
                    events.event(first, What::Session(Session { status: 1 }))?;
                    return Ok(events);
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(Error::io("create", &path, error)),
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the events of a step.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&mut self, step: u64, events: Events) -> Result<()> {
        self.event(step, What::Summary(Summary { values: events.values }))
    }

    fn event(&mut self, step: u64, what: What) -> Result<()> {
        let event = Event { wall_time: now(), step: step as i64, what: Some(what) };
        let record = record(&event.encode_to_vec());
        self.file.write_all(&record).map_err(|error| Error::io("write to", &self.path, error))
    }
}

/// A record of a file of records.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut record = length.to_vec();
    record.extend(masked(&length).to_le_bytes());
    record.extend(data);
    record.extend(masked(data).to_le_bytes());
    record
}

/// The checksum of a record's part.
fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events of a file; panics where a checksum is wrong.
    fn read(path: &Path) -> Vec<Event> {
        let bytes = std::fs::read(path).unwrap();
        let mut rest = &bytes[..];
        let mut events = Vec::new();
        while !rest.is_empty() {
            let (head, tail) = rest.split_at(12);
            let length = u64::from_le_bytes(head[..8].try_into().unwrap()) as usize;
            assert_eq!(masked(&head[..8]).to_le_bytes(), head[8..]);
            assert_eq!(masked(&tail[..length]).to_le_bytes(), tail[length..length + 4]);
            events.push(Event::decode(&tail[..length]).unwrap());
            rest = &tail[length + 4..];
        }
        events
    }

    #[test]
    fn what_is_written_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = EventFile::create(folder.path(), 3).unwrap();
        let mut events = Events::default();
        events.scalar("loss", 0.5);
        events.histogram("tau", &[1.0, 2.0, 2.0, 4.0, f32::NAN]);
        events.histogram("none", &[f32::NAN]);
        events.histogram("one", &[7.0; 3]);
        let picture = Bitmap { width: 3, height: 2, pixels: (0..18).collect() };
        events.image("raster", &picture).unwrap();
        file.write(3, events).unwrap();
        let events = read(file.path());
        assert_eq!(events[0].what, Some(What::FileVersion("brain.Event:2".into())));
        assert_eq!(
            (events[1].step, &events[1].what),
            (3, &Some(What::Session(Session { status: 1 })))
        );
        let Some(What::Summary(summary)) = &events[2].what else { panic!("{:?}", events[2]) };
        let tags: Vec<&str> = summary.values.iter().map(|value| &*value.tag).collect();
        assert_eq!(tags, ["loss", "tau", "one", "raster"]);
        assert_eq!(summary.values[0].value, Some(Value::Scalar(0.5)));
        let Some(Value::Histogram(tau)) = &summary.values[1].value else { panic!() };
        assert_eq!(
            (tau.min, tau.max, tau.num, tau.sum, tau.sum_squares),
            (1.0, 4.0, 4.0, 9.0, 25.0)
        );
        assert_eq!((tau.bucket[0], tau.bucket[10], tau.bucket[29]), (1.0, 2.0, 1.0));
        assert!(tau.bucket_limit.is_sorted() && tau.bucket_limit[29] == 4.0);
        let Some(Value::Histogram(one)) = &summary.values[2].value else { panic!() };
        assert_eq!((one.num, one.bucket.iter().sum::<f64>()), (3.0, 3.0));
        let Some(Value::Image(image)) = &summary.values[3].value else { panic!() };
        let decoder = png::Decoder::new(std::io::Cursor::new(&image.encoded));
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; 18];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!(pixels, picture.pixels);
        // A second file beside the first, later in the order of names.
        let second = EventFile::create(folder.path(), 4).unwrap();
        assert!(second.path() > file.path());
    }

    /// The published check value of CRC-32C, masked as TensorFlow does.
    #[test]
    fn checksums_are_tensorflows() {
        let expected = 0xe306_9283_u32.rotate_right(15).wrapping_add(0xa282_ead8);
        assert_eq!(masked(b"123456789"), expected);
    }
}
