//! Backbones that go on learning: which they are, and with what they begin.

use super::resnet::{Design, ResNet};
use super::{Network, weights};
use crate::Rng;
use crate::error::{MlError, Result};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

/// Weights of a new last layer are drawn this wide: at first it has no opinion, and what it learns from comes through it.
const LAST: f64 = 0.01;

/// A network whose weights can be fine-tuned. Deeper ones would take gigabytes while they learn; those of other makes are for describing alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tunable {
    ResNet18,
    ResNet34,
    ResNet50,
    #[cfg(test)]
    Tiny,
}

impl Tunable {
    const ALL: &[Self] = &[
        Self::ResNet18,
        Self::ResNet34,
        Self::ResNet50,
        #[cfg(test)]
        Self::Tiny,
    ];

    /// `resnet18`
    pub const fn name(self) -> &'static str {
        match self {
            Self::ResNet18 => "resnet18",
            Self::ResNet34 => "resnet34",
            Self::ResNet50 => "resnet50",
            #[cfg(test)]
            Self::Tiny => "tiny",
        }
    }

    /// Which one the weights are of, told by names and shapes. [`MlError::Refused`] for weights of another network, and for bytes that are none.
    pub fn of(bytes: &[u8]) -> Result<Self> {
        let name = weights::name(bytes).map_err(refused)?;
        let found = Self::ALL.iter().copied().find(|k| k.name() == name);
        found.ok_or_else(|| {
            refused(format!(
                "they are of a {name}, which can describe pictures, but is not fine-tuned here"
            ))
        })
    }

    /// Reads weights into a network on the device that learns on from them, with a last layer of its own for so many classes. The same seed gives
    /// the same layer.
    pub fn open(bytes: &[u8], classes: usize, seed: u64, device: &Device) -> Result<(Self, ResNet)> {
        let kind = Self::of(bytes)?;
        let read = weights::filled(bytes, false, device).map_err(refused)?;
        let Network::ResNet(net) = read.net else {
            return Err(refused("they are of no ResNet".to_owned()));
        };
        let mut rng = Rng::new(seed);
        let last = (0..classes * read.dims)
            .map(|_| (rng.normal() * LAST) as f32)
            .collect();
        Ok((kind, net.with_last([classes, read.dims], last, device).steady()))
    }

    const fn design(self) -> Design {
        match self {
            Self::ResNet18 => weights::RESNET18,
            Self::ResNet34 => weights::RESNET34,
            Self::ResNet50 => weights::RESNET50,
            #[cfg(test)]
            Self::Tiny => weights::TINY,
        }
    }

    /// One to be filled, for so many classes.
    pub fn blank(self, classes: usize, device: &Device) -> ResNet {
        let design = Design {
            classes: Some(classes),
            ..self.design()
        };
        ResNet::new(&design, device).steady()
    }
}

fn refused(why: String) -> MlError {
    MlError::Refused(format!(
        "A training cannot begin with these weights: {why}. Bring those of a ResNet of 18, 34 or 50 layers of torchvision, as safetensors or as `torch.save(model.state_dict(), \"resnet18.pth\")`."
    ))
}

/// Weights by chance of a network that learns in no time, as a file.
#[cfg(test)]
pub(crate) fn tiny() -> Vec<u8> {
    crate::safetensors::write(None, &weights::tests::parts(&Tunable::Tiny.design())).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(design: &Design) -> Vec<u8> {
        crate::safetensors::write(None, &weights::tests::parts(design)).unwrap()
    }

    fn why(bytes: &[u8]) -> String {
        match Tunable::of(bytes) {
            Err(MlError::Refused(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_cannot_be_fine_tuned_is_told_by_name() {
        assert_eq!(Tunable::of(&tiny()), Ok(Tunable::Tiny));
        // By what a table says, so the numbers may be few.
        let named = |name: &str| {
            let part = (name.to_owned(), vec![1], vec![0.0]);
            crate::safetensors::write(None, &[part]).unwrap()
        };
        assert!(why(&named("class_token")).contains("of a vision transformer"));
        assert!(why(&named("features.0.0.weight")).contains("of a MobileNetV3"));
        assert!(why(&named("something.weight")).contains("of another network"));
        let deep = Design {
            width: 8,
            ..Design::of([3, 4, 23, 3], true)
        };
        let said = why(&file(&deep));
        assert!(
            said.contains("of a resnet101") && said.contains("18, 34 or 50"),
            "{said}"
        );
        let cut = tiny();
        assert!(why(&cut[..cut.len() - 9]).contains("is cut off"));
    }

    #[test]
    fn files_call_them_as_people_do() {
        for kind in Tunable::ALL {
            let text = serde_json::to_string(&kind).unwrap();
            assert_eq!(text, format!("\"{}\"", kind.name()));
        }
    }
}
