//! The inner hair cell: pools of transmitter between velocity and nerve (Meddis 1986, doi:10.1121/1.393460; 1988,
//! doi:10.1121/1.396050).
//!
//! Of the free transmitter q the permeability k of the membrane lets some out into the cleft, of whose content c some is lost,
//! some taken back into w and from there into q. With the velocity v:
//!
//! ```text
//! k  = g (v + A) / (v + A + B), 0 where v < −A
//! q' = y (M − q) + x w − k q        c' = k q − (l + r) c        w' = r c − x w
//! P(a fibre fires in dt) = h c dt
//! ```

const A: f64 = 5.0;
const B: f64 = 300.0;
const G: f64 = 2000.0;
const Y: f64 = 5.05;
const L: f64 = 2500.0;
const R: f64 = 6580.0;
const X: f64 = 66.3;
const H: f64 = 50_000.0;
const M: f64 = 1.0;

/// Below half of l + r steps a second, Euler's method diverges.
pub(super) const LEAST_RATE: u32 = ((L + R) / 2.0) as u32;

/// The chance that a fibre fires in every step, of `rate` a second; the cell was at rest before.
pub(super) fn firing_chances(velocity: &[f64], rate: f64) -> Vec<f64> {
    let dt = 1.0 / rate;
    let resting = G * A / (A + B);
    let mut c = M * Y * resting / (L * resting + Y * (L + R));
    let mut q = c * (L + R) / resting;
    let mut w = c * R / X;
    let step = |v: &f64| {
        let k = if v + A > 0.0 { G * (v + A) / (v + A + B) } else { 0.0 };
        let replenished = Y * (M - q).max(0.0);
        let (ejected, reprocessed) = (k * q, X * w);
        q = (q + dt * (replenished + reprocessed - ejected)).max(0.0);
        w = (w + dt * (R * c - reprocessed)).max(0.0);
        c = (c + dt * (ejected - (L + R) * c)).max(0.0);
        H * c * dt
    };
    velocity.iter().map(step).collect()
}
