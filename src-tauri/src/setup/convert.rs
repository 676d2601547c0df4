//! The types of a set-up as DTOs.

use salesmirror_core::{
    self as core, App, CLOUDS, Draft, Explanation, Finding, Guide, Step, Way, first_sync,
};
use salesmirror_wire as wire;

/// A set-up as the window shows it.
pub fn setup(draft: Draft, user: Option<String>) -> wire::Setup {
    let problems = App::setup_problems(&draft);
    wire::Setup {
        problems: problems
            .into_iter()
            .map(|problem| wire::FieldProblem {
                field: problem.field.to_owned(),
                message: problem.message,
            })
            .collect(),
        guide: guide(&draft),
        clouds: CLOUDS
            .iter()
            .map(|cloud| wire::SetupCloud {
                id: cloud.id.to_owned(),
                name: cloud.name.to_owned(),
                example: cloud.example(),
            })
            .collect(),
        user,
        draft: shown(draft),
    }
}

fn guide(draft: &Draft) -> wire::SetupGuide {
    let guide = Guide::new(draft);
    wire::SetupGuide {
        app_name: guide.app_name,
        redirect_uri: guide.redirect_uri,
        new_registration: guide.new_registration,
        registrations: guide.registrations,
        overview: guide.overview,
        authentication: guide.authentication,
        permissions: guide.permissions,
        credentials: guide.credentials,
        admin_consent: guide.admin_consent,
        tenant: guide.tenant,
        admin_center: guide.admin_center,
        script: guide.script,
        example: draft.cloud().example(),
    }
}

fn shown(draft: Draft) -> wire::SetupDraft {
    wire::SetupDraft {
        step: step_shown(draft.step),
        reached: step_shown(draft.reached),
        name: draft.name,
        cloud: draft.cloud,
        authority: draft.authority,
        discovery: draft.discovery,
        tenant: draft.tenant,
        way: match draft.way {
            Way::Portal => wire::SetupWay::Portal,
            Way::AzureCli => wire::SetupWay::AzureCli,
            Way::Powershell => wire::SetupWay::Powershell,
            Way::Exists => wire::SetupWay::Exists,
        },
        public_client: draft.public_client,
        redirect_port: draft.redirect_port,
        client_id: draft.client_id,
        has_secret: draft.has_secret,
        secret_expires: draft.secret_expires,
        environment: draft.environment,
        unattended: draft.unattended,
        signed_in: draft.connection.is_some(),
    }
}

/// What was typed. What the window may not decide is core's to keep.
pub fn draft(typed: wire::SetupDraft) -> Draft {
    Draft {
        step: step(typed.step),
        reached: step(typed.reached),
        name: typed.name,
        cloud: typed.cloud,
        authority: typed.authority,
        discovery: typed.discovery,
        tenant: typed.tenant,
        way: match typed.way {
            wire::SetupWay::Portal => Way::Portal,
            wire::SetupWay::AzureCli => Way::AzureCli,
            wire::SetupWay::Powershell => Way::Powershell,
            wire::SetupWay::Exists => Way::Exists,
        },
        public_client: typed.public_client,
        redirect_port: typed.redirect_port,
        client_id: typed.client_id,
        secret_expires: typed.secret_expires,
        environment: typed.environment,
        unattended: typed.unattended,
        ..Draft::default()
    }
}

const STEPS: [(Step, wire::SetupStep); 8] = [
    (Step::Choose, wire::SetupStep::Choose),
    (Step::Register, wire::SetupStep::Register),
    (Step::Redirect, wire::SetupStep::Redirect),
    (Step::Permission, wire::SetupStep::Permission),
    (Step::Credentials, wire::SetupStep::Credentials),
    (Step::Environment, wire::SetupStep::Environment),
    (Step::SignIn, wire::SetupStep::SignIn),
    (Step::Check, wire::SetupStep::Check),
];

fn step(shown: wire::SetupStep) -> Step {
    let mut steps = STEPS.iter();
    steps
        .find(|(_, other)| *other == shown)
        .map_or(Step::Choose, |(step, _)| *step)
}

fn step_shown(step: Step) -> wire::SetupStep {
    let mut steps = STEPS.iter();
    steps
        .find(|(other, _)| *other == step)
        .map_or(wire::SetupStep::Choose, |(_, shown)| *shown)
}

/// A tenant.
pub fn tenant(found: core::FoundTenant) -> wire::FoundTenant {
    wire::FoundTenant {
        id: found.id,
        authority: found.authority,
    }
}

/// An environment that answers.
pub fn environment(found: core::FoundEnvironment) -> wire::FoundEnvironment {
    wire::FoundEnvironment {
        url: found.url,
        authority: found.authority,
        tenant: found.tenant,
        cloud: found.cloud,
    }
}

/// An environment that is listed.
pub fn listed(found: core::Environment) -> wire::ListedEnvironment {
    wire::ListedEnvironment {
        name: found.name,
        url: found.url,
        enabled: found.is_enabled,
        region: found.region,
        version: found.version,
    }
}

/// The checks of a new connection.
pub fn checks(found: &[core::Check]) -> wire::Checks {
    let cost = first_sync(found);
    let one = |check: &core::Check| wire::Check {
        name: check.name.clone(),
        table: check.table.clone(),
        finding: match check.finding {
            Finding::Running => wire::Finding::Running,
            Finding::Passed => wire::Finding::Passed,
            Finding::Caution => wire::Finding::Caution,
            Finding::Failed => wire::Finding::Failed,
        },
        detail: check.detail.clone(),
        hint: check.hint.clone(),
        raw: check.raw.clone(),
        link: check.link.as_deref().map(str::to_owned),
    };
    let table = |(table, rows): (String, Option<u64>)| wire::TableCount { table, rows };
    wire::Checks {
        checks: found.iter().map(one).collect(),
        cost: wire::FirstSync {
            tables: cost.tables.into_iter().map(table).collect(),
            rows: cost.rows,
            seconds: cost.seconds,
            requests: cost.requests,
            entitlement: cost.entitlement,
            bytes: cost.bytes,
        },
    }
}

/// What an error means that somebody sees elsewhere, as in the browser.
pub fn explanation(row: &Explanation, draft: Option<&Draft>) -> wire::ErrorReply {
    wire::ErrorReply {
        code: row.code.to_owned(),
        message: row.meaning.to_owned(),
        hint: format!("{} {}", row.cause, row.fix),
        reference: None,
        link: draft.and_then(|draft| Guide::page(draft, row.page?)),
    }
}
