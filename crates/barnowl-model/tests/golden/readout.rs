//! The readout of the golden vectors, by hand.

use super::{Golden, Gradients, add, dot};

/// The leaky integrator and its loss on one sequence: the loss, and ∂L/∂s of the last layer.
pub(super) fn readout(
    golden: &Golden,
    sequence: usize,
    spikes: &[Vec<f64>],
    gradients: &mut Gradients,
) -> (f64, Vec<Vec<f64>>) {
    let (weight, bias) = (golden.get("readout.input.weight"), golden.get("readout.input.bias"));
    let (classes, width, steps) = (bias.len(), spikes[0].len(), spikes.len());
    let sequences = golden.shape("x")[1];
    let keep: Vec<f64> = golden.get("readout.tau_m").iter().map(|tau| (-1.0 / tau).exp()).collect();
    let mut membranes = vec![vec![0.0; classes]; steps + 1];
    for t in 0..steps {
        for c in 0..classes {
            let current = dot(&weight[c * width..(c + 1) * width], &spikes[t]) + bias[c];
            membranes[t + 1][c] = keep[c] * membranes[t][c] + (1.0 - keep[c]) * current;
        }
    }
    // Negative log-likelihood of the class, and its gradient.
    let score = |logits: &[f64], class: usize| {
        let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logits.iter().map(|x| (x - largest).exp()).sum();
        let mut gradient: Vec<f64> = logits.iter().map(|x| (x - largest).exp() / sum).collect();
        gradient[class] -= 1.0;
        (sum.ln() + largest - logits[class], gradient)
    };
    let mut loss = 0.0;
    let mut direct = vec![vec![0.0; classes]; steps];
    let target = golden.get("target");
    let share = 1.0 / sequences as f64;
    let skip = golden.case["decode"]["skip"].as_u64().unwrap_or(0) as usize;
    let counted = (steps - skip) as f64;
    match golden.kind("decode") {
        "per_step" => {
            for t in skip..steps {
                let class = target[t * sequences + sequence] as usize;
                let (nll, gradient) = score(&membranes[t + 1], class);
                loss += nll * share;
                direct[t] = gradient.iter().map(|g| g * share).collect();
            }
        }
        "mean_membrane" => {
            let mean: Vec<f64> = (0..classes)
                .map(|c| membranes[1 + skip..].iter().map(|m| m[c]).sum::<f64>() / counted)
                .collect();
            let (nll, gradient) = score(&mean, target[sequence] as usize);
            loss = nll * share;
            let each: Vec<f64> = gradient.iter().map(|g| g * share / counted).collect();
            direct[skip..].fill(each);
        }
        "softmax_sum" => {
            let softmax = |m: &[f64]| {
                let sum: f64 = m.iter().map(|m| m.exp()).sum();
                m.iter().map(|m| m.exp() / sum).collect::<Vec<f64>>()
            };
            let each: Vec<Vec<f64>> = membranes[1..].iter().map(|m| softmax(m)).collect();
            let sums: Vec<f64> =
                (0..classes).map(|c| each[skip..].iter().map(|p| p[c]).sum()).collect();
            let (nll, gradient) = score(&sums, target[sequence] as usize);
            loss = nll * share;
            for t in skip..steps {
                let mean: f64 = each[t].iter().zip(&gradient).map(|(p, g)| p * g).sum();
                direct[t] =
                    (0..classes).map(|c| each[t][c] * (gradient[c] - mean) * share).collect();
            }
        }
        other => panic!("no decoder {other}"),
    }
    let mut of_spikes = vec![vec![0.0; width]; steps];
    let mut of_membrane = vec![0.0; classes];
    for t in (0..steps).rev() {
        for c in 0..classes {
            let g = direct[t][c] + of_membrane[c];
            let current = dot(&weight[c * width..(c + 1) * width], &spikes[t]) + bias[c];
            let tau = golden.get("readout.tau_m")[c];
            let of_keep = g * (membranes[t][c] - current);
            add(gradients, "readout.tau_m".into(), classes, c, of_keep * keep[c] / (tau * tau));
            let of_current = g * (1.0 - keep[c]);
            add(gradients, "readout.input.bias".into(), classes, c, of_current);
            for n in 0..width {
                let at = c * width + n;
                let name = "readout.input.weight".into();
                add(gradients, name, classes * width, at, of_current * spikes[t][n]);
                of_spikes[t][n] += weight[at] * of_current;
            }
            of_membrane[c] = g * keep[c];
        }
    }
    (loss, of_spikes)
}
