//! Where a network runs: the processor, or a graphics processor.
//!
//! The default build knows the processor only. Cargo's features `cuda`, `rocm`, `metal`, `vulkan` and `wgpu` bring one
//! kind of graphics processor each; `wgpu` takes whichever of Vulkan, Metal and DirectX the machine has.

use crate::error::{Error, ErrorKind, Result};
use burn::tensor::{Device, Tensor};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

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
    let mut opened = lock(&OPENED);
    if opened.iter().all(|(other, _)| other != device) {
        opened.push((device.clone(), format!("{kind}:{place}")));
    }
    Ok(device.clone())
}

/// The names under which devices were opened.
static OPENED: Mutex<Vec<(Device, String)>> = Mutex::new(Vec::new());

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

/// What `work` returns. On a device with a driver, which panics where it fails, a panic is an error of the
/// [kind](ErrorKind::Device) that says so; on the processor it is a bug, and stays a panic.
///
/// # Errors
///
/// Those of `work`, and the failure of the device. What `work` changed may be half done then.
pub fn guard<T>(device: &Device, work: impl FnOnce() -> Result<T>) -> Result<T> {
    if is_cpu(device) {
        return work();
    }
    let opened = lock(&OPENED);
    let name = opened.iter().find(|(other, _)| other == device).map(|(_, name)| name.clone());
    drop(opened);
    guard_named(&name.unwrap_or_else(|| format!("{device:?}")), work)
}

/// As [`guard`], on a device with a driver.
pub(crate) fn guard_named<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    caught(work).unwrap_or_else(|said| {
        let place = PLACE.with(RefCell::take);
        Err(Error::new(ErrorKind::Device, format!("the device {name} failed: {said} ({place})"))
            .remedy("see whether its memory or its driver is the reason, or use --device cpu"))
    })
}

/// What `work` returns, or nothing if it panics, as drivers' libraries do where a driver is missing. Nothing is printed.
fn quietly<T>(work: impl FnOnce() -> T) -> Option<T> {
    caught(work).ok()
}

thread_local! {
    /// Whether a panic of this thread is caught and told by [`caught`].
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
    /// Where its last panic that was caught came from, file and line: should it be a fault of ours, that is where to look.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// How many threads are in [`caught`].
static CATCHING: AtomicUsize = AtomicUsize::new(0);

/// The last panic of a driver's thread meanwhile.
static DRIVER_SAID: Mutex<Option<String>> = Mutex::new(None);

/// What `work` returns, or what it panicked with. The panic is not printed, nor those of the threads in which CubeCL runs
/// drivers, which it hands back to the thread that waits for them; those of all other threads are heard as ever.
fn caught<T>(work: impl FnOnce() -> T) -> std::result::Result<T, String> {
    static HOOK: Once = Once::new();
    // Once and for good: a hook that comes and goes would take the panics of other threads with it.
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if CAUGHT.try_with(Cell::get).unwrap_or(false) {
                let place = panic.location().map(ToString::to_string).unwrap_or_default();
                // A thread that is ending has nobody to tell.
                let _ = PLACE.try_with(|last| last.replace(place));
                return;
            }
            if CATCHING.load(Ordering::Relaxed) > 0 && is_of_a_driver(std::thread::current().name())
            {
                *lock(&DRIVER_SAID) = Some(message(panic.payload()));
                return;
            }
            before(panic);
        }));
    });
    let outer = CAUGHT.replace(true);
    if CATCHING.fetch_add(1, Ordering::Relaxed) == 0 {
        lock(&DRIVER_SAID).take();
    }
    let result = catch_unwind(AssertUnwindSafe(work));
    CATCHING.fetch_sub(1, Ordering::Relaxed);
    CAUGHT.set(outer);
    result.map_err(|payload| {
        let said = message(&*payload);
        // One that waits in vain only knows that there is no answer.
        match lock(&DRIVER_SAID).take().filter(|driver| *driver != said) {
            Some(driver) => format!("{said}; its driver said: {driver}"),
            None => said,
        }
    })
}

/// Whether a thread is one of CubeCL's, `DSU-0-0` or `DSD-0-0`.
fn is_of_a_driver(thread: Option<&str>) -> bool {
    thread.is_some_and(|name| name.starts_with("DSU-") || name.starts_with("DSD-"))
}

/// The text of a panic.
fn message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("it does not say why").trim().to_owned()
}

/// Locks what holds no invariant that a panic could break.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

    #[test]
    fn a_panic_is_an_error_but_on_the_processor() {
        let fails = |text: &'static str| move || -> Result<()> { panic!("{text}") };
        let error = guard_named("wgpu:0", fails("the device is lost")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Device);
        let said = error.to_string();
        assert!(
            said.starts_with("the device wgpu:0 failed: the device is lost (crates/"),
            "{said}"
        );
        assert!(said.contains("device.rs:"), "where it panicked: {said}");
        let error = guard_named("wgpu:0", || -> Result<()> { std::panic::panic_any(7) });
        assert!(error.unwrap_err().to_string().contains("it does not say why"));
        // Errors are told as they are.
        let refused = guard_named("wgpu:0", || -> Result<()> { Err(Error::config("no")) });
        assert_eq!(refused.unwrap_err().to_string(), "no");
        assert_eq!(guard_named("wgpu:0", || Ok(3)).unwrap(), 3);
        let bug = catch_unwind(AssertUnwindSafe(|| guard(&Device::flex(), fails("a bug"))));
        assert!(bug.is_err());
    }

    #[test]
    fn what_a_driver_says_in_its_thread_is_told() {
        let waits_in_vain = || -> Result<()> {
            let driver = || panic!("out of memory");
            let thread = std::thread::Builder::new().name("DSU-1-0".into()).spawn(driver).unwrap();
            thread.join().expect("no answer");
            Ok(())
        };
        let error = guard_named("cuda:0", waits_in_vain).unwrap_err().to_string();
        assert!(error.contains("no answer") && error.contains("said: out of memory"), "{error}");
    }

    /// The hook is the process's: it is set in a process of its own, which is this test again.
    #[test]
    fn panics_of_other_threads_are_heard() {
        const WITHIN: &str = "BARNOWL_TEST_PANICS";
        let panics = |text: &'static str| {
            let thread = std::thread::spawn(move || panic!("{text}"));
            assert!(thread.join().is_err());
        };
        if std::env::var_os(WITHIN).is_some() {
            let work = || {
                panics("of another thread, meanwhile");
                panic!("of this thread");
            };
            assert!(quietly(work).is_none());
            panics("of another thread, later");
            // This thread is heard again, too.
            assert!(catch_unwind(|| panic!("of this thread, later")).is_err());
            return;
        }
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "device::tests::panics_of_other_threads_are_heard", "--nocapture"])
            .env(WITHIN, "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        for heard in ["other thread, meanwhile", "other thread, later", "this thread, later"] {
            assert!(text.contains(heard), "{heard} is not in {text}");
        }
        assert!(!text.contains("of this thread\n"), "{text}");
    }
}
