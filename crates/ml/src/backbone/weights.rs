//! Reading weights as torchvision (and timm) name them. What the file says decides which network it is; every part must fit it.

use super::pth::StateDict;
use super::resnet::{Design, ResNet};
use super::source::Source;
use super::{Network, SIDE, mobilenet, vit};
use crate::error::{MlError, Result};
use crate::safetensors::File;
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};

type Words<T> = std::result::Result<T, String>;

/// Bytes of the table of contents.
const HEADER_MAX: usize = 1 << 20;
/// What wrappers of PyTorch put in front of every name.
const PREFIXES: [&str; 2] = ["module.", "model."];
/// What the first layers of the known ones are called.
const FIRST: [&str; 3] = [CONV1, mobilenet::FIRST, vit::TOKEN];
const CONV1: &str = "conv1.weight";
pub(super) const CLASSES_MAX: usize = 100_000;
/// Of networks of other makes than a ResNet's.
pub(super) const VIT: &str = "vision transformer";
pub(super) const MOBILENET: &str = "MobileNetV3";

pub(super) const RESNET18: Design = Design::of([2, 2, 2, 2], false);
pub(super) const RESNET34: Design = Design::of([3, 4, 6, 3], false);
pub(super) const RESNET50: Design = Design::of([3, 4, 6, 3], true);
/// One that learns in the twinkling of an eye, for tests.
#[cfg(test)]
pub(super) const TINY: Design = Design {
    width: 8,
    ..Design::of([1, 1, 1, 1], false)
};

const KNOWN: &[(&str, Design)] = &[
    ("resnet18", RESNET18),
    ("resnet34", RESNET34),
    ("resnet50", RESNET50),
    ("resnet101", Design::of([3, 4, 23, 3], true)),
    ("resnet152", Design::of([3, 8, 36, 3], true)),
    #[cfg(test)]
    ("tiny", TINY),
];

pub(super) struct Read {
    pub net: Network,
    pub name: &'static str,
    /// Numbers of a description.
    pub dims: usize,
    /// Pixels a side of the pictures it wants.
    pub side: u32,
}

fn refused(why: &str) -> MlError {
    MlError::Refused(format!(
        "These weights cannot be used: {why}. Bring those of a ResNet (18, 34, 50, 101 or 152 layers), a MobileNetV3 (small or large) or a ViT (b_16, b_32, l_16, l_32, and s or ti built alike) of torchvision as safetensors, `safetensors.torch.save_file(model.state_dict(), \"resnet18.safetensors\")`, or as `torch.save(model.state_dict(), \"resnet18.pth\")`; or any network as ONNX."
    ))
}

/// Parts by name, whatever file they lie in. Errors in words.
pub(super) trait Parts {
    fn shape(&self, name: &str) -> Option<&[usize]>;

    /// The numbers of a part that must have this shape.
    fn floats(&self, name: &str, shape: &[usize]) -> std::result::Result<Vec<f32>, String>;
}

impl Parts for File<'_> {
    fn shape(&self, name: &str) -> Option<&[usize]> {
        Some(&self.table.get(name)?.shape)
    }

    fn floats(&self, name: &str, shape: &[usize]) -> std::result::Result<Vec<f32>, String> {
        File::floats(self, name, shape)
    }
}

/// `last`: with the last layer, whose size is what the file says; descriptions do without.
pub(super) fn read(bytes: &[u8], last: bool, device: &Device) -> Result<Read> {
    filled(bytes, last, device).map_err(|why| refused(&why))
}

/// What the network is called that the weights are of, told by their names and shapes alone: `resnet18`, [`VIT`], [`MOBILENET`].
pub(super) fn name(bytes: &[u8]) -> Words<&'static str> {
    opened(bytes, |file| {
        let prefix = prefix(file);
        let has = |name: &str| file.shape(&format!("{prefix}{name}")).is_some();
        if has(vit::TOKEN) {
            return Ok(VIT);
        }
        if has(mobilenet::FIRST) {
            return Ok(MOBILENET);
        }
        design(file, prefix).map(|(name, _)| name)
    })
}

/// Reads the table of a file of either kind.
fn opened<T>(bytes: &[u8], then: impl FnOnce(&dyn Parts) -> Words<T>) -> Words<T> {
    // A table of 128 bytes more than a multiple of 256 begins like a pickle; its brace tells it.
    let is_table = bytes.get(8) == Some(&b'{');
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(&[0x80]) && !is_table {
        return then(&StateDict::read(bytes)?);
    }
    then(&File::read(bytes, HEADER_MAX)?)
}

/// What a wrapper put in front of every name.
fn prefix(file: &dyn Parts) -> &'static str {
    PREFIXES
        .into_iter()
        .find(|p| {
            FIRST
                .iter()
                .any(|name| file.shape(&format!("{p}{name}")).is_some())
        })
        .unwrap_or("")
}

/// As [`read`], what is wrong in words.
pub(super) fn filled(bytes: &[u8], last: bool, device: &Device) -> Words<Read> {
    opened(bytes, |file| {
        let prefix = prefix(file);
        let source = Source { file, prefix, device };
        if source.has(vit::TOKEN) {
            vit::read(&source, last)
        } else if source.has(mobilenet::FIRST) {
            mobilenet::read(&source, last)
        } else {
            resnet(&source, last)
        }
    })
}

fn resnet(source: &Source<'_>, last: bool) -> std::result::Result<Read, String> {
    let Source { file, prefix, device } = *source;
    let (name, mut design) = design(file, prefix)?;
    design.classes = design.classes.filter(|_| last);
    let mut fill = Fill {
        file,
        prefix,
        path: Vec::new(),
        failed: None,
    };
    let net = ResNet::new(&design, device).map(&mut fill);
    match fill.failed {
        Some(why) => Err(why),
        None => Ok(Read {
            net: Network::ResNet(Box::new(net)),
            name,
            dims: design.dims(),
            side: SIDE,
        }),
    }
}

/// Which network the names are of.
fn design(file: &dyn Parts, prefix: &str) -> std::result::Result<(&'static str, Design), String> {
    let has = |name: &str| file.shape(&format!("{prefix}{name}")).is_some();
    if !has(CONV1) {
        return Err("they are of another network (`conv1.weight` is missing)".to_owned());
    }
    let count = |layer: usize| {
        (0..64)
            .take_while(|n| has(&format!("layer{layer}.{n}.conv1.weight")))
            .count()
    };
    let blocks = [count(1), count(2), count(3), count(4)];
    let bottleneck = has("layer1.0.conv3.weight");
    let (name, known) = KNOWN
        .iter()
        .copied()
        .find(|(_, d)| d.blocks == blocks && d.bottleneck == bottleneck)
        .ok_or_else(|| {
            let [a, b, c, d] = blocks;
            format!("their layers have {a}, {b}, {c} and {d} blocks, as no network that is known")
        })?;
    let classes = file
        .shape(&format!("{prefix}fc.weight"))
        .and_then(|shape| shape.first().copied());
    let design = Design {
        classes: classes.filter(|c| (1..=CLASSES_MAX).contains(c)),
        ..known
    };
    Ok((name, design))
}

struct Fill<'a> {
    file: &'a dyn Parts,
    prefix: &'a str,
    path: Vec<String>,
    failed: Option<String>,
}

impl Fill<'_> {
    /// A part's name as torchvision has it.
    fn name(&self) -> String {
        let own = self.path.join(".");
        let own = own
            .replace("downsample.conv.", "downsample.0.")
            .replace("downsample.bn.", "downsample.1.");
        let own = match own.rsplit_once('.') {
            Some((of, "gamma")) => format!("{of}.weight"),
            Some((of, "beta")) => format!("{of}.bias"),
            _ => own,
        };
        format!("{}{own}", self.prefix)
    }
}

impl ModuleMapper for Fill<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let value = param.val();
        let (dims, device, id) = (value.dims(), value.device(), param.id);
        match self.file.floats(&self.name(), &dims) {
            Ok(values) => {
                param.transform_for_load(Tensor::from_data(TensorData::new(values, dims), &device), id)
            }
            Err(why) => {
                self.failed.get_or_insert(why);
                param
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::backbone::Backbone;
    use crate::backbone::pth::tests::{saved, saved_before};
    use crate::{Picture, Rng, safetensors};
    use burn::module::ModuleVisitor;

    /// The parts of a network by torchvision's names, with numbers by chance.
    struct Parts {
        path: Vec<String>,
        list: Vec<(String, Vec<usize>, Vec<f32>)>,
        rng: Rng,
    }

    impl ModuleVisitor for Parts {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.path.push(name.to_owned());
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.path.pop();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let file = File::read(b"\x02\0\0\0\0\0\0\0{}", 10).unwrap();
            let name = Fill {
                file: &file,
                prefix: "",
                path: self.path.clone(),
                failed: None,
            }
            .name();
            let shape = param.val().dims().to_vec();
            let n: usize = shape.iter().product();
            let inputs: usize = shape[1..].iter().product();
            let scale = if D == 1 { 0.1 } else { (2.0 / inputs as f64).sqrt() };
            let lift = if name.ends_with("running_var") || name.contains("bn") && name.ends_with("weight") {
                1.0
            } else {
                0.0
            };
            let mut draw = || (lift + self.rng.normal() * scale) as f32;
            let values = (0..n)
                .map(|_| draw())
                .map(|v| if lift > 0.0 { v.abs() } else { v });
            self.list.push((name, shape, values.collect()));
        }
    }

    pub(in crate::backbone) fn parts(design: &Design) -> Vec<(String, Vec<usize>, Vec<f32>)> {
        let mut parts = Parts {
            path: Vec::new(),
            list: Vec::new(),
            rng: Rng::new(5),
        };
        ResNet::new(design, &Device::flex()).visit(&mut parts);
        parts.list
    }

    fn eighteen() -> Vec<(String, Vec<usize>, Vec<f32>)> {
        parts(&Design {
            classes: Some(10),
            ..Design::of([2, 2, 2, 2], false)
        })
    }

    fn file(parts: &[(String, Vec<usize>, Vec<f32>)]) -> Vec<u8> {
        safetensors::write(None, parts).unwrap()
    }

    fn why(bytes: &[u8]) -> String {
        match Backbone::open(bytes) {
            Err(MlError::Refused(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_are_those_of_torchvision_and_pictures_are_described() {
        let list = eighteen();
        let names: Vec<&str> = list.iter().map(|p| p.0.as_str()).collect();
        // 20 convolutions, 20 norms of four parts, two of the last layer.
        assert_eq!(names.len(), 102);
        for name in [
            "conv1.weight",
            "bn1.running_var",
            "layer2.0.downsample.0.weight",
            "layer2.0.downsample.1.bias",
            "layer4.1.bn2.weight",
            "fc.bias",
        ] {
            assert!(names.contains(&name), "{name} of {names:?}");
        }
        let net = Backbone::open(&file(&list)).unwrap();
        assert_eq!((net.name(), net.dims()), ("resnet18", 512));
        let picture = |v: u8| Picture::new(30, 20, vec![v; 30 * 20 * 3]).unwrap();
        let found = net.embed(&[picture(20), picture(220)], &|| false).unwrap();
        assert_eq!((found.len(), found[0].len()), (2, 512));
        assert!(found.iter().flatten().all(|v| v.is_finite()));
        assert_ne!(found[0], found[1]);
        assert_eq!(net.embed(&[picture(1)], &|| true), Err(MlError::Stopped));
        // As wrapped by DataParallel, without a last layer, with counters that nobody needs.
        let mut wrapped: Vec<_> = list.into_iter().filter(|p| !p.0.starts_with("fc")).collect();
        for part in &mut wrapped {
            part.0 = format!("module.{}", part.0);
        }
        wrapped.push(("module.bn1.num_batches_tracked".into(), vec![1], vec![7.0]));
        let again = Backbone::open(&file(&wrapped)).unwrap();
        assert_eq!(again.embed(&[picture(20)], &|| false).unwrap()[0], found[0]);
    }

    #[test]
    #[cfg(feature = "gpu")]
    #[ignore = "needs a graphics processor, or software that plays one"]
    fn a_graphics_processor_describes_pictures_alike() {
        let file = file(&eighteen());
        let picture = [Picture::new(30, 20, (0..30 * 20 * 3).map(|n| (n % 251) as u8).collect()).unwrap()];
        let of = |net: Backbone| net.embed(&picture, &|| false).unwrap().remove(0);
        let here = of(Backbone::open(&file).unwrap());
        let there = of(Backbone::open_on(&file, crate::Processor::Gpu).unwrap());
        for (a, b) in here.iter().zip(&there) {
            assert!((a - b).abs() < 1e-3, "{a} and {b}");
        }
    }

    #[test]
    fn files_of_torch_save_give_the_same_descriptions() {
        let list = eighteen();
        let picture = [Picture::new(30, 20, (0..30 * 20 * 3).map(|n| (n % 251) as u8).collect()).unwrap()];
        let wanted = Backbone::open(&file(&list)).unwrap();
        let wanted = wanted.embed(&picture, &|| false).unwrap();
        let given: Vec<_> = list
            .into_iter()
            .map(|(name, shape, values)| {
                let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                (name, "FloatStorage", shape, bytes)
            })
            .collect();
        for bytes in [saved(&given), saved_before(&given)] {
            let net = Backbone::open(&bytes).unwrap();
            assert_eq!(
                (net.name(), net.embed(&picture, &|| false).unwrap()),
                ("resnet18", wanted.clone())
            );
        }
        let mut other = given;
        other.retain(|p| p.0 != "layer3.1.bn1.running_mean");
        assert!(why(&saved(&other)).contains("layer3.1.bn1.running_mean is missing"));
    }

    #[test]
    fn what_does_not_fit_says_what_is_wrong() {
        let list = eighteen();
        let whole = file(&list);
        assert!(why(&whole[..whole.len() - 9]).contains("is cut off"));
        assert!(why(&whole[..40]).contains("its table is not one"));
        assert!(why(b"").contains("too short"));
        assert!(why(b"PK\x03\x04rest").contains("is cut off"));
        assert!(why(b"\x80\x04\x95\x0b\0\0\0\0\0\0\0\x8c\x07").contains("protocol 4"));
        // The first byte of the table's length may be a pickle's.
        let mut long = b"\x80\x01\0\0\0\0\0\0{".to_vec();
        long.resize(8 + 0x17f, b' ');
        long.push(b'}');
        assert!(why(&long).contains("of another network"));
        let mut other = list.clone();
        other.retain(|p| p.0 != "layer3.1.bn1.running_mean");
        assert!(why(&file(&other)).contains("layer3.1.bn1.running_mean is missing"));
        let mut other = list.clone();
        other[0].1 = vec![64, 3, 49];
        assert!(why(&file(&other)).contains("conv1.weight has the form"));
        let mut other = list.clone();
        other[0].2[3] = f32::NAN;
        assert!(why(&file(&other)).contains("what is no number"));
        let mut other = list.clone();
        other.retain(|p| !p.0.starts_with("layer4.1."));
        assert!(why(&file(&other)).contains("2, 2, 2 and 1 blocks"));
        let vit = vec![("patch_embed.proj.weight".to_owned(), vec![1], vec![0.0])];
        assert!(why(&file(&vit)).contains("of another network"));
    }
}
