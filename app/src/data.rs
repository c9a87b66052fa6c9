//! Reading and changing data from pages: resources that follow the session, and calls with pending state and errors.

use crate::error::AppError;
use crate::pulse::Pulse;
use crate::session::use_session;
use crate::ui::use_toasts;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::{Serialize, de::DeserializeOwned};
use std::future::{Future, IntoFuture};
use std::pin::Pin;

/// What a server function answers: read on the server for the first page, again when `source` changes, and again
/// after somebody signed in anew. Awaited in a [`Suspend`].
pub struct Load<T: Send + Sync + 'static>(Resource<Result<T, AppError>>);

impl<T: Send + Sync> Clone for Load<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync> Copy for Load<T> {}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Load<T> {
    /// Reads it again.
    pub fn refetch(&self) {
        self.0.refetch();
    }

    /// What is there now; follows changes. To be called under a [`Suspense`].
    pub fn get(&self) -> Option<Result<T, AppError>>
    where
        T: Clone,
    {
        self.0.get()
    }
}

impl<T: Clone + Send + Sync + 'static> IntoFuture for Load<T> {
    type Output = Result<T, AppError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    /// On the server it is never there at the first poll. Leptos polls what is under a [`Suspense`] once to learn what
    /// it waits for, throws that away, and makes it anew to write it; the parts inside, with all that they load, would
    /// be made twice. The browser would be handed what the first ones loaded, beside the markup of the second ones,
    /// and cannot take a page over whose markup says something else.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answer = self.0.await;
            #[cfg(feature = "ssr")]
            tokio::task::yield_now().await;
            answer
        })
    }
}

/// Makes a [`Load`].
pub fn use_load<S, T, Fut>(
    source: impl Fn() -> S + Send + Sync + 'static,
    fetch: impl Fn(S) -> Fut + Send + Sync + 'static,
) -> Load<T>
where
    S: PartialEq + Clone + Send + Sync + 'static,
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    Fut: Future<Output = Result<T, AppError>> + Send + 'static,
{
    let version = use_session().version;
    Load(Resource::new(
        move || (source(), version.get()),
        move |(s, _)| fetch(s),
    ))
}

/// A call that changes something.
pub struct Mutation<I: 'static> {
    /// Whether it runs now.
    pub pending: RwSignal<bool>,
    /// Why the last one failed.
    pub error: RwSignal<Option<AppError>>,
    call: Callback<I>,
}

impl<I: 'static> Clone for Mutation<I> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<I: 'static> Copy for Mutation<I> {}

impl<I: 'static> Mutation<I> {
    /// Starts it; does nothing while one runs.
    pub fn run(&self, input: I) {
        if !self.pending.get_untracked() {
            self.call.run(input);
        }
    }
}

/// A change whose errors show as a toast. `done` runs with the answer.
pub fn use_mutation<I, O, Fut>(
    call: impl Fn(I) -> Fut + Send + Sync + 'static,
    done: impl Fn(O) + Send + Sync + 'static,
) -> Mutation<I>
where
    I: 'static,
    O: 'static,
    Fut: Future<Output = Result<O, AppError>> + 'static,
{
    let toasts = use_toasts();
    mutation(call, done, move |e| toasts.error(e))
}

/// A change started from a form, which shows the error itself ([`crate::ui::FormError`] and [`crate::ui::Field`]).
pub fn use_form<I, O, Fut>(
    call: impl Fn(I) -> Fut + Send + Sync + 'static,
    done: impl Fn(O) + Send + Sync + 'static,
) -> Mutation<I>
where
    I: 'static,
    O: 'static,
    Fut: Future<Output = Result<O, AppError>> + 'static,
{
    mutation(call, done, |_| ())
}

fn mutation<I, O, Fut>(
    call: impl Fn(I) -> Fut + Send + Sync + 'static,
    done: impl Fn(O) + Send + Sync + 'static,
    failed: impl Fn(&AppError) + Send + Sync + 'static,
) -> Mutation<I>
where
    I: 'static,
    O: 'static,
    Fut: Future<Output = Result<O, AppError>> + 'static,
{
    let pending = RwSignal::new(false);
    let error = RwSignal::new(None);
    let pulse = use_context::<Pulse>();
    let done = StoredValue::new(done);
    let failed = StoredValue::new(failed);
    let call = Callback::new(move |input: I| {
        pending.set(true);
        let running = call(input);
        spawn_local(async move {
            let outcome = running.await;
            // The page may be gone by now: then there is nobody to tell.
            if pending.try_set(false).is_some() {
                return;
            }
            match outcome {
                Ok(o) => {
                    error.set(None);
                    done.try_with_value(|f| f(o));
                    // It may have started a job or moved the queue.
                    if let Some(pulse) = pulse {
                        pulse.kick();
                    }
                }
                Err(e) => {
                    failed.try_with_value(|f| f(&e));
                    error.set(Some(e));
                }
            }
        });
    });
    Mutation { pending, error, call }
}
