//! Pictures described by a registered network: chosen, used, refused, guarded.

use super::world::World;
use crate::refusal;
use bytes::Bytes;
use limn_domain::assist::{AssistState, UpdateAssist};
use limn_domain::model::NewModelVersion;
use limn_domain::project::Task;
use limn_domain::run::NewRun;
use limn_domain::{Code, Role};
use limn_services::Actor;
use limn_services::artifacts::Owner;
use limn_store::repo;
use limn_testkit::on_both;
use std::sync::LazyLock;

/// Names and shapes of torchvision's ResNet-18 without its last layer.
fn parts() -> Vec<(String, Vec<usize>)> {
    let mut out = vec![("conv1.weight".to_owned(), vec![64, 3, 7, 7])];
    let norm = |out: &mut Vec<(String, Vec<usize>)>, name: &str, n: usize| {
        for part in ["weight", "bias", "running_mean", "running_var"] {
            out.push((format!("{name}.{part}"), vec![n]));
        }
    };
    norm(&mut out, "bn1", 64);
    let mut from = 64;
    for (layer, width) in [(1, 64), (2, 128), (3, 256), (4, 512)] {
        for block in 0..2 {
            let at = format!("layer{layer}.{block}");
            for (n, input) in [(1, from), (2, width)] {
                out.push((format!("{at}.conv{n}.weight"), vec![width, input, 3, 3]));
                norm(&mut out, &format!("{at}.bn{n}"), width);
            }
            if from != width {
                out.push((format!("{at}.downsample.0.weight"), vec![width, from, 1, 1]));
                norm(&mut out, &format!("{at}.downsample.1"), width);
            }
            from = width;
        }
    }
    out
}

/// The file of one whose weights are as good as drawn by chance.
static WEIGHTS: LazyLock<Bytes> = LazyLock::new(|| {
    let mut table = serde_json::Map::new();
    let mut data: Vec<u8> = Vec::with_capacity(45 << 20);
    let mut state = 0x9e37_79b9_u32;
    for (name, shape) in parts() {
        let begin = data.len();
        let n: usize = shape.iter().product();
        let one = name.ends_with("running_var") || shape.len() == 1 && name.ends_with("weight");
        let inputs: usize = shape[1..].iter().product();
        let scale = if shape.len() == 1 {
            0.0
        } else {
            (6.0 / inputs as f32).sqrt()
        };
        for _ in 0..n {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let chance = (state >> 8) as f32 / (1 << 23) as f32 - 1.0;
            let v = if one { 1.0 } else { chance * scale };
            data.extend_from_slice(&v.to_le_bytes());
        }
        let entry =
            serde_json::json!({ "dtype": "F32", "shape": shape, "data_offsets": [begin, data.len()] });
        table.insert(name, entry);
    }
    let mut header = serde_json::to_vec(&table).unwrap();
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut out = (header.len() as u64).to_le_bytes().to_vec();
    out.extend(header);
    out.extend(data);
    out.into()
});

pub(super) async fn register(w: &World, admin: &Actor, name: &str, file: &str, bytes: Bytes) -> String {
    let s = &w.studio;
    let experiment = s.experiments.ensure(admin, "Weights").await.unwrap();
    let run = s
        .runs
        .start(admin, experiment, NewRun::default())
        .await
        .unwrap()
        .id;
    s.artifacts
        .put_bytes(admin, Owner::Run(run), file, bytes)
        .await
        .unwrap();
    let new = NewModelVersion {
        name: name.to_owned(),
        run_id: Some(run),
        ..NewModelVersion::default()
    };
    let made = s.models.register(admin, new).await.unwrap();
    format!("{}/{}", made.model_name, made.number)
}

pub(super) fn by(backbone: &str) -> UpdateAssist {
    UpdateAssist {
        enabled: Some(true),
        backbone: Some(backbone.to_owned()),
        ..UpdateAssist::default()
    }
}

#[tokio::test]
async fn a_registered_network_describes_the_pictures() {
    on_both(async |db| {
        let mut w = World::new(&db, Task::Classification).await;
        let admin = w.studio.person("Ada", Role::Admin).await;
        w.add_shapes(36, 9).await;
        let good = register(&w, &admin, "resnet18", "resnet18.safetensors", WEIGHTS.clone()).await;
        let cut = register(
            &w,
            &admin,
            "resnet18",
            "w.safetensors",
            WEIGHTS.slice(..9_000_000),
        )
        .await;
        let other = register(&w, &admin, "notes", "readme.txt", "none".into()).await;
        assert_eq!(
            w.studio.assist.backbones(&w.manager, w.project).await.unwrap(),
            [cut.clone(), good.clone()]
        );
        let lena = refusal(w.studio.assist.backbones(&w.lena, w.project).await);
        assert_eq!(lena.code, Code::Forbidden);

        // What cannot be used is told at once, and nothing is changed.
        for (name, why) in [
            ("resnet18", "NAME/VERSION"),
            (cut.as_str(), "is cut off"),
            (other.as_str(), "holds no weights"),
            ("resnet18/9", "9"),
        ] {
            let found = refusal(w.studio.assist.update(&w.manager, w.project, by(name)).await);
            assert!(
                found.for_field("backbone").is_some_and(|m| m.contains(why)),
                "{name}: {found:?}"
            );
        }
        assert_eq!(w.get().await.state, AssistState::Off);

        w.change(by(&good)).await;
        let seen = w.run().await;
        assert_eq!(
            (seen.items.seen, seen.settings.backbone.unwrap().to_string()),
            (36, good.clone())
        );
        w.label(24).await;
        let ready = w.train().await;
        assert_eq!(ready.model.expect("a model").version, 1);
        let key = async |w: &World| {
            let mut tx = w.studio.db.db().read().await.unwrap();
            let row = repo::assist::get(&mut tx, w.project).await.unwrap();
            row.unwrap().encoder_key.unwrap()
        };
        assert!(key(&w).await.starts_with("resnet18:"));
        let item = *w.truth.keys().next().unwrap();
        let alike = w.studio.assist.similar(&w.manager, item, 5).await.unwrap();
        assert!(alike.len() == 5 && alike[0].similarity <= 1.0, "{alike:?}");

        // In use: neither the version nor the model goes. Others do.
        let why = refusal(w.studio.models.delete_version(&admin, "resnet18", 1).await);
        assert_eq!(why.code, Code::Conflict);
        assert!(why.message.contains("project “Shapes”"), "{}", why.message);
        assert_eq!(
            refusal(w.studio.models.delete(&admin, "resnet18").await).code,
            Code::Conflict
        );
        w.studio
            .models
            .delete_version(&admin, "resnet18", 2)
            .await
            .unwrap();

        // Back to their own patches: looked at anew, learned anew.
        w.change(by("")).await;
        let own = w.run().await;
        assert!(key(&w).await.starts_with("patches-"));
        assert_eq!((own.items.seen, own.model.unwrap().version), (36, 2));
        w.studio.models.delete(&admin, "resnet18").await.unwrap();
    })
    .await;
}
