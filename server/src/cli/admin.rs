//! `admin`: people and tokens, on the server's own machine, also before the first start.

use super::{Place, print, serve};
use crate::compose;
use crate::config::Log;
use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Args, Subcommand};
use limn_domain::token::{NewToken, TokenScope};
use limn_domain::user::{Me, NewUser, UpdateUser, User};
use limn_domain::{ApiError, Role};
use limn_services::{Actor, Services};
use std::io::{IsTerminal as _, Read as _};

#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Create an account; its id goes to stdout
    CreateUser {
        #[command(flatten)]
        place: Place,
        #[arg(long)]
        email: String,
        /// admin, manager, reviewer, labeler or viewer
        #[arg(long)]
        role: Role,
        /// Display name; the part of the address before the @ when absent
        #[arg(long)]
        name: Option<String>,
        /// Read the password from stdin
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Create an API token; the secret alone goes to stdout
    CreateToken {
        #[command(flatten)]
        place: Place,
        /// Whose token
        #[arg(long)]
        email: String,
        /// What it is for
        #[arg(long)]
        name: String,
        /// read, write or admin; as wide as the role needs when absent
        #[arg(long, value_parser = scope)]
        scope: Option<TokenScope>,
        /// Only for this project, by name or id
        #[arg(long)]
        project: Option<String>,
        /// Only for this dataset, by name or id
        #[arg(long, conflicts_with = "project")]
        dataset: Option<String>,
        /// Days until it ends; never when absent
        #[arg(long, value_name = "DAYS")]
        expires: Option<i64>,
    },
    /// List accounts
    ListUsers {
        #[command(flatten)]
        place: Place,
    },
    /// Disable an account: its sessions and tokens end at once
    DisableUser(Who),
    /// Enable an account again
    EnableUser(Who),
    /// Change somebody's role
    SetRole {
        #[command(flatten)]
        who: Who,
        /// admin, manager, reviewer, labeler or viewer
        #[arg(long)]
        role: Role,
    },
    /// Take another key for credentials (secrets.key): what the old one encrypted stays closed
    ForgetKey {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Args)]
pub struct Who {
    #[command(flatten)]
    place: Place,
    #[arg(long)]
    email: String,
}

fn scope(text: &str) -> Result<TokenScope, String> {
    TokenScope::ALL
        .into_iter()
        .find(|s| s.as_str() == text)
        .ok_or_else(|| format!("`{text}` is not a scope; use read, write or admin"))
}

/// Runs one command.
pub async fn run(command: AdminCommand) -> Result<()> {
    match command {
        AdminCommand::CreateUser {
            place,
            email,
            role,
            name,
            password_stdin: _,
        } => {
            let password = password()?;
            let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or(&email).to_owned());
            let user = NewUser {
                email,
                name,
                password,
            };
            with(place, async |s| {
                let user = s
                    .users
                    .create(&Actor::System, user, role)
                    .await
                    .map_err(readable)?;
                print(&user.id.to_string())
            })
            .await
        }
        AdminCommand::CreateToken {
            place,
            email,
            name,
            scope,
            project,
            dataset,
            expires,
        } => {
            with(place, async |s| {
                let user = person(s, &email).await?;
                if user.disabled {
                    bail!("{email} is disabled; a token would not work. Enable the account first.");
                }
                let project_id = match project {
                    Some(p) => Some(
                        s.projects
                            .find(&Actor::System, &p)
                            .await
                            .map_err(readable)?
                            .summary
                            .id,
                    ),
                    None => None,
                };
                let dataset_id = match dataset {
                    Some(d) => Some(
                        s.datasets
                            .find(&Actor::System, &d)
                            .await
                            .map_err(readable)?
                            .summary
                            .id,
                    ),
                    None => None,
                };
                let widest = if user.role == Role::Admin {
                    TokenScope::Admin
                } else {
                    TokenScope::Write
                };
                let owner = Actor::User(Me {
                    id: user.id,
                    email: user.email,
                    name: user.name,
                    role: user.role,
                });
                let input = NewToken {
                    name,
                    scope: scope.unwrap_or(widest),
                    project_id,
                    dataset_id,
                    expires_in_days: expires,
                };
                let created = s.tokens.create(&owner, input).await.map_err(readable)?;
                print(&created.secret)
            })
            .await
        }
        AdminCommand::ListUsers { place } => {
            with(place, async |s| {
                for user in s.users.list(&Actor::System).await.map_err(readable)? {
                    let state = if user.disabled { "disabled" } else { "enabled" };
                    print(&format!(
                        "{}\t{}\t{}\t{state}\t{}",
                        user.id, user.email, user.role, user.name
                    ))?;
                }
                Ok(())
            })
            .await
        }
        AdminCommand::DisableUser(who) => {
            change(
                who,
                UpdateUser {
                    disabled: Some(true),
                    ..UpdateUser::default()
                },
            )
            .await
        }
        AdminCommand::EnableUser(who) => {
            change(
                who,
                UpdateUser {
                    disabled: Some(false),
                    ..UpdateUser::default()
                },
            )
            .await
        }
        AdminCommand::SetRole { who, role } => {
            change(
                who,
                UpdateUser {
                    role: Some(role),
                    ..UpdateUser::default()
                },
            )
            .await
        }
        AdminCommand::ForgetKey { place } => {
            with(place, async |s| {
                let was = s.context.forget_key().await.map_err(readable)?;
                print(if was {
                    "The key that is found at the next start is the right one. Give the credentials of datastores anew."
                } else {
                    "No key has been used yet, so there is none to forget."
                })
            })
            .await
        }
    }
}

async fn change(who: Who, input: UpdateUser) -> Result<()> {
    let Who { place, email } = who;
    with(place, async |s| {
        let user = person(s, &email).await?;
        s.users
            .update(&Actor::System, user.id, input)
            .await
            .map_err(readable)?;
        Ok(())
    })
    .await
}

/// Opens the data, does the work, closes it again.
async fn with<T>(place: Place, work: impl AsyncFnOnce(&Services) -> Result<T>) -> Result<T> {
    let config = place.config()?;
    serve::start_log(&Log {
        filter: "warn".to_owned(),
        json: false,
    });
    let services = compose::open(&config).await?;
    let result = work(&services).await;
    services.context.db.close().await;
    result
}

async fn person(services: &Services, email: &str) -> Result<User> {
    let wanted = email.trim().to_lowercase();
    let all = services.users.list(&Actor::System).await.map_err(readable)?;
    all.into_iter()
        .find(|u| u.email == wanted)
        .with_context(|| format!("nobody has the address {wanted}; see `limn admin list-users`"))
}

/// The password from stdin, without the line's end.
fn password() -> Result<String> {
    let mut stdin = std::io::stdin();
    if stdin.is_terminal() {
        eprintln!("Type the password, then Enter and Ctrl-D. It will show.");
    }
    let mut text = String::new();
    stdin
        .read_to_string(&mut text)
        .context("cannot read the password from stdin")?;
    let text = text.trim_end_matches(['\r', '\n']).to_owned();
    if text.is_empty() {
        bail!(
            "stdin held no password; pipe it in, as in: printf '%s' \"$PASSWORD\" | limn admin create-user ..."
        );
    }
    Ok(text)
}

/// On this machine nothing is hidden: an internal error shows its cause.
fn readable(e: limn_services::Error) -> anyhow::Error {
    match e {
        limn_services::Error::Api(ApiError { message, .. }) => anyhow!(message),
        other => anyhow::Error::new(other),
    }
}
