//! A run that failed: why, what that means for labels and proposals, and how it is tried again.

use super::super::layout::ProjectCtx;
use crate::data::Mutation;
use crate::ui::{Button, Glyph, Notice, Tone};
use leptos::prelude::*;
use limn_domain::assist::{Assist, AssistState, Retrain};
use limn_domain::authz::Action;

#[component]
pub fn Failed(ctx: ProjectCtx, assist: RwSignal<Assist>, train: Mutation<()>) -> impl IntoView {
    let failed = Memo::new(move |_| assist.with(|a| a.state == AssistState::Failed));
    let why = move || assist.with(|a| a.message.clone());
    let next = move || assist.with(after);
    let log = move || assist.with(|a| a.job.as_ref().map(|j| format!("/jobs/{}", j.id)));
    let trains =
        move || ctx.may(Action::ManageProject) && assist.with(|a| a.settings.retrain != Retrain::Never);
    view! {
        <Show when=move || failed.get()>
            <Notice tone=Tone::Bad>
                <div class="assist-failed" data-testid="assist-failed">
                    <p><b class="strong">"Why: "</b>{why}</p>
                    <p>{next}</p>
                    <p class="assist-failed__acts">
                        {move || trains().then(|| view! {
                            <Button icon=Glyph::Refresh loading=train.pending on_click=move || train.run(())>"Try again"</Button>
                        })}
                        {move || log().map(|href| view! { <Button href=href icon=Glyph::File>"Read the log"</Button> })}
                    </p>
                </div>
            </Notice>
        </Show>
    }
}

/// What stays as it was, and what comes next.
fn after(assist: &Assist) -> String {
    let kept = match &assist.model {
        Some(m) => format!(
            "Labels are as they were, and so is what model {} proposed.",
            m.version
        ),
        None => "Labels are as they were; nothing is proposed yet.".to_owned(),
    };
    let next = match assist.settings.retrain {
        Retrain::Schedule => {
            "With new labels it is tried again by itself, ten minutes later at the earliest."
        }
        Retrain::Button => "It is not tried again by itself.",
        Retrain::Never => {
            "It is set never to be trained: what failed is tried again from its log, or choose in the settings when it is trained."
        }
    };
    format!("{kept} {next}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::assist::{AssistItems, AssistSettings, AssistWork};
    use limn_domain::project::Task;

    #[test]
    fn what_comes_next_depends_on_when_it_is_trained() {
        let mut assist = Assist {
            settings: AssistSettings::of(Task::Classification),
            state: AssistState::Failed,
            message: "The stored model cannot be read; train it again.".to_owned(),
            job: None,
            items: AssistItems::default(),
            work: AssistWork::default(),
            new_labels: 0,
            model: None,
            curve: Vec::new(),
        };
        assert_eq!(assist.settings.retrain, Retrain::Schedule);
        let said = after(&assist);
        assert!(said.starts_with("Labels are as they were; nothing is proposed yet."));
        assert!(said.contains("by itself, ten minutes later"), "{said}");
        assist.settings.retrain = Retrain::Button;
        assert!(after(&assist).ends_with("It is not tried again by itself."));
        assist.settings.retrain = Retrain::Never;
        assert!(after(&assist).contains("choose in the settings"));
    }
}
