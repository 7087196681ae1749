//! Where a network runs: the processor, or a graphics processor.
//!
//! The default build knows the processor only. Cargo's features `cuda`, `rocm`, `metal`, `vulkan` and `wgpu` bring one
//! kind of graphics processor each; `wgpu` takes whichever of Vulkan, Metal and DirectX the machine has.

use crate::error::{Error, Result};
use burn::tensor::{Device, Tensor};

/// The names of devices, whether or not this build knows them.
pub const NAMES: [&str; 6] = ["cpu", "cuda", "rocm", "metal", "vulkan", "wgpu"];

/// The kinds of devices that this build knows.
#[must_use]
pub fn kinds() -> Vec<&'static str> {
    NAMES.into_iter().filter(|name| of_kind(name).is_ok()).collect()
}

/// A device that this machine and this build have.
#[derive(Debug, Clone)]
pub struct Listed {
    /// What [`open`] takes: `cpu`, `cuda:1`.
    pub name: String,
    /// What it is called by its maker.
    pub description: String,
    /// The device itself.
    pub device: Device,
}

/// The devices of one kind, in the driver's order; none where there is no driver.
///
/// # Errors
///
/// If there is no such kind, or this build was made without it.
fn of_kind(kind: &str) -> Result<Vec<Device>> {
    match kind {
        "cpu" => Ok(vec![Device::flex()]),
        #[cfg(feature = "cuda")]
        "cuda" => Ok(found(burn::tensor::DeviceType::Cuda)),
        #[cfg(feature = "rocm")]
        "rocm" => Ok(found(burn::tensor::DeviceType::Rocm)),
        #[cfg(feature = "metal")]
        "metal" => Ok(found(burn::tensor::DeviceType::Metal)),
        #[cfg(feature = "vulkan")]
        "vulkan" => Ok(found(burn::tensor::DeviceType::Vulkan)),
        #[cfg(feature = "wgpu")]
        "wgpu" => Ok(found(burn::tensor::DeviceType::Wgpu)),
        other if NAMES.contains(&other) => Err(Error::config(format!(
            "this build of Barnowl does not know {other}"
        ))
        .remedy(format!(
            "build it with it: cargo build --release --features {other}; or use --device cpu"
        ))),
        other => Err(Error::config(format!("there is no device {other:?}")).expected(format!(
            "one of {}, such as cuda, or cuda:1 for the second",
            NAMES.join(", ")
        ))),
    }
}

/// What a driver lists. One that is missing or broken makes some of them panic: it has no devices then.
#[cfg(feature = "cube")]
fn found(kind: burn::tensor::DeviceType) -> Vec<Device> {
    quietly(|| Device::enumerate(kind).into_vec()).unwrap_or_default()
}

/// The device of a name: `cpu`, `cuda`, `cuda:1`.
///
/// # Errors
///
/// If the name is none, this build does not know the kind, there is no such device, or it does not compute.
pub fn open(name: &str) -> Result<Device> {
    let (kind, place) = name.split_once(':').unwrap_or((name, "0"));
    let devices = of_kind(kind)?;
    let place: usize = place.parse().map_err(|_| {
        Error::config(format!("there is no device {name:?}"))
            .expected(format!("a number after {kind}:, such as {kind}:0"))
    })?;
    let Some(device) = devices.get(place) else {
        let problem = match devices.len() {
            0 => format!("there is no {kind} device: no driver was found, or it lists none"),
            1 => format!("there is no {name}, but one {kind} device"),
            n => {
                format!("there is no {name}, but {n} {kind} devices, {kind}:0 to {kind}:{}", n - 1)
            }
        };
        return Err(Error::config(problem).remedy("`barnowl devices` lists what is usable"));
    };
    // A driver may list what it cannot run. Exponentials come from a library of their own on CUDA.
    let computes = |work: fn(Tensor<1>) -> Tensor<1>, expected: f32| {
        let sum = quietly(|| work(Tensor::ones([2], device)).sum().into_scalar::<f32>());
        sum.is_some_and(|sum| (sum - expected).abs() < 1e-4)
    };
    if !computes(|ones| ones, 2.0) {
        let problem = format!("{name} does not compute: its driver fails or is too old");
        return Err(Error::config(problem).remedy("update the driver, or use --device cpu"));
    }
    if !computes(Tensor::exp, 2.0 * std::f32::consts::E) {
        let error = Error::config(format!("{name} computes no exponentials"));
        return Err(match kind {
            "cuda" => error
                .expected("nvvm/libdevice/libdevice.10.bc of the CUDA toolkit, which kernels are linked with")
                .remedy("install the toolkit and set CUDA_PATH to its folder, or use --device cpu"),
            _ => error.remedy("update the driver, or use --device cpu"),
        });
    }
    Ok(device.clone())
}

/// All devices that this machine and this build have; the processor first.
#[must_use]
pub fn list() -> Vec<Listed> {
    let devices = NAMES.iter().flat_map(|kind| {
        let devices = of_kind(kind).unwrap_or_default();
        devices.into_iter().enumerate().map(move |(place, device)| (*kind, place, device))
    });
    let listed = devices.map(|(kind, place, device)| Listed {
        name: if kind == "cpu" { kind.to_owned() } else { format!("{kind}:{place}") },
        description: describe(kind, &device),
        device,
    });
    listed.collect()
}

fn describe(kind: &str, device: &Device) -> String {
    if kind == "cpu" {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        return format!(
            "this machine's processor, {threads} threads, {}",
            crate::instruction_set().unwrap_or("portable")
        );
    }
    #[cfg(feature = "cube")]
    if let Some(identity) = quietly(|| device.identity()).flatten() {
        return identity.name;
    }
    format!("{device:?}")
}

/// Whether networks on a device run by the processor's kernels.
pub(crate) fn is_cpu(device: &Device) -> bool {
    device.clone().inner() == Device::flex()
}

/// The sum of all elements, the same bits every time: Burn's `sum` depends on the order in which the parts of a graphics
/// processor finish, its `sum_dim` does not.
pub(crate) fn total<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    (0..D).fold(tensor, Tensor::sum_dim).reshape([1])
}

/// What `work` returns, or nothing if it panics, as drivers' libraries do where a driver is missing. Nothing is printed.
fn quietly<T>(work: impl FnOnce() -> T) -> Option<T> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    std::panic::set_hook(hook);
    result.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_always_there() {
        assert_eq!(open("cpu").unwrap(), Device::flex());
        assert_eq!(list()[0].name, "cpu");
        assert!(is_cpu(&Device::flex()) && is_cpu(&Device::flex().autodiff()));
    }

    #[test]
    fn devices_that_are_not_there_are_named() {
        let problem = |name: &str| open(name).unwrap_err().to_string();
        assert!(
            problem("gpu").contains("cpu, cuda, rocm, metal, vulkan, wgpu"),
            "{}",
            problem("gpu")
        );
        assert!(problem("cpu:1").contains("there is no cpu:1"), "{}", problem("cpu:1"));
        assert!(problem("cpu:x").contains("a number after cpu:"), "{}", problem("cpu:x"));
        #[cfg(not(feature = "rocm"))]
        assert!(problem("rocm").contains("--features rocm"), "{}", problem("rocm"));
    }
}
