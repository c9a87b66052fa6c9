//! What networks are computed on: the CPU, or a graphics processor where the crate is built with the feature `gpu` (docs/adr/0037).

use crate::nets::threads;
use burn::tensor::{Device, Tensor};
use std::str::FromStr;

#[cfg(not(feature = "gpu"))]
const NOT_BUILT: &str = "this program was built without graphics processors (the cargo feature `gpu`)";

/// On what networks are to be computed. By default on the CPU, where the same seed gives the same network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Processor {
    /// A graphics processor where one can be used, else the CPU.
    Auto,
    #[default]
    Cpu,
    /// A graphics processor, or not at all. One that only software plays (Mesa's lavapipe) will do.
    Gpu,
}

/// A processor that is there.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Without gradients.
    pub(crate) device: Device,
    pub(crate) is_graphics: bool,
    /// For people: `CPU`, or the graphics processor with how it is reached, as `NVIDIA H200 (Vulkan)`.
    pub name: String,
    /// Why it is not a graphics processor, where one was looked for.
    pub instead: Option<String>,
}

/// What was found when a graphics processor was looked for.
#[derive(Debug, Clone)]
struct Graphics {
    device: Device,
    name: String,
    /// Whether the CPU does what it should do: slower than if asked itself.
    is_software: bool,
}

impl Opened {
    /// Threads to ask networks on. What a graphics processor is asked from several threads it keeps apart in its memory, and is none the faster.
    pub(crate) fn threads(&self) -> usize {
        if self.is_graphics { 1 } else { threads::half() }
    }
}

impl FromStr for Processor {
    type Err = String;

    /// As settings write it. Errors say what to write, `gpu` being one where it cannot be had.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            #[cfg(feature = "gpu")]
            "gpu" => Ok(Self::Gpu),
            #[cfg(not(feature = "gpu"))]
            "gpu" => Err(format!("is `gpu`, but {NOT_BUILT}; write \"auto\" or \"cpu\"")),
            other => Err(format!("is `{other}`; write \"auto\", \"cpu\" or \"gpu\"")),
        }
    }
}

impl Processor {
    /// The processor itself. A graphics processor is looked for once in the life of a process, when it is first asked for, which may take seconds;
    /// all get the same one. Errors say why there is none where it has to be one.
    pub fn open(self) -> Result<Opened, String> {
        choose(self, graphics)
    }
}

fn choose(asked: Processor, graphics: impl FnOnce() -> Result<Graphics, String>) -> Result<Opened, String> {
    let found = match asked {
        Processor::Cpu => return Ok(cpu(None)),
        Processor::Auto => match graphics() {
            Ok(g) if g.is_software => return Ok(cpu(Some(format!("{} is software", g.name)))),
            Ok(g) => g,
            Err(why) => return Ok(cpu(Some(why))),
        },
        Processor::Gpu => graphics().map_err(|why| {
            format!(
                "No graphics processor can be used: {why}. See to its driver (Vulkan on Linux), or set training.device to \"auto\" or \"cpu\"."
            )
        })?,
    };
    Ok(Opened {
        device: found.device,
        is_graphics: true,
        name: found.name,
        instead: None,
    })
}

fn cpu(instead: Option<String>) -> Opened {
    Opened {
        device: Device::flex(),
        is_graphics: false,
        name: "CPU".to_owned(),
        instead,
    }
}

#[cfg(not(feature = "gpu"))]
fn graphics() -> Result<Graphics, String> {
    Err(NOT_BUILT.to_owned())
}

#[cfg(feature = "gpu")]
fn graphics() -> Result<Graphics, String> {
    static FOUND: std::sync::OnceLock<Result<Graphics, String>> = std::sync::OnceLock::new();
    // A driver that fails while it is opened is one that cannot be used, and no reason to fall over.
    let found = FOUND.get_or_init(|| {
        std::panic::catch_unwind(look).unwrap_or_else(|_| Err("its driver failed".to_owned()))
    });
    found.clone()
}

#[cfg(feature = "gpu")]
fn look() -> Result<Graphics, String> {
    use burn::tensor::wgpu::wgpu::DeviceType;

    let (device, setup) = Device::wgpu_options()
        .init_with_setup()
        .map_err(|e| e.to_string())?;
    let about = setup.adapter.get_info();
    Ok(Graphics {
        device,
        name: format!("{} ({:?})", about.name, about.backend),
        is_software: about.device_type == DeviceType::Cpu,
    })
}

/// A tensor's numbers, brought here from where they are computed; waits until they are. Errors in words.
pub(crate) fn numbers<const D: usize>(t: Tensor<D>) -> Result<Vec<f32>, String> {
    // Only a graphics processor ever fails here: on the CPU they lie where they were computed.
    let data = t.try_into_data().map_err(|e| {
        format!(
            "{e}. If the memory of the graphics processor does not suffice, set training.device to \"cpu\""
        )
    })?;
    data.try_to_vec::<f32>().map_err(|e| format!("{e:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(is_software: bool) -> Graphics {
        Graphics {
            device: Device::flex(),
            name: "Voodoo (Vulkan)".to_owned(),
            is_software,
        }
    }

    #[test]
    fn a_graphics_processor_is_used_where_there_is_one() {
        let on = choose(Processor::Auto, || Ok(found(false))).unwrap();
        assert_eq!(
            (on.name.as_str(), on.is_graphics, on.instead),
            ("Voodoo (Vulkan)", true, None)
        );
        let on = choose(Processor::Auto, || Err("there is none".to_owned())).unwrap();
        assert_eq!(
            (on.name.as_str(), on.is_graphics, on.instead.as_deref()),
            ("CPU", false, Some("there is none"))
        );
        // Software in its place is slower than the CPU asked itself; but who wants it gets it.
        let on = choose(Processor::Auto, || Ok(found(true))).unwrap();
        assert_eq!(
            (on.name.as_str(), on.instead.as_deref()),
            ("CPU", Some("Voodoo (Vulkan) is software"))
        );
        assert!(choose(Processor::Gpu, || Ok(found(true))).unwrap().is_graphics);
    }

    #[test]
    fn without_one_it_is_an_error_only_where_it_has_to_be_one() {
        let why = choose(Processor::Gpu, || Err("no adapter".to_owned())).unwrap_err();
        assert!(
            why.contains("no adapter.") && why.contains("training.device"),
            "{why}"
        );
        let on = choose(Processor::Cpu, || panic!("nobody asked for it")).unwrap();
        assert_eq!((on.name.as_str(), on.instead), ("CPU", None));
        assert_eq!(Processor::default(), Processor::Cpu);
    }

    #[test]
    fn settings_name_it() {
        assert_eq!("auto".parse::<Processor>(), Ok(Processor::Auto));
        assert_eq!("cpu".parse::<Processor>(), Ok(Processor::Cpu));
        let why = "tpu".parse::<Processor>().unwrap_err();
        assert!(why.contains("`tpu`") && why.contains("\"auto\""), "{why}");
        #[cfg(feature = "gpu")]
        assert_eq!("gpu".parse::<Processor>(), Ok(Processor::Gpu));
        #[cfg(not(feature = "gpu"))]
        {
            let why = "gpu".parse::<Processor>().unwrap_err();
            assert!(why.contains("built without"), "{why}");
            let why = Processor::Gpu.open().unwrap_err();
            assert!(why.contains("built without"), "{why}");
            let on = Processor::Auto.open().unwrap();
            assert!(!on.is_graphics && on.instead.unwrap().contains("built without"));
        }
    }
}
