//! `$metadata`: the same schema as CSDL.

use std::fmt::Write as _;

use super::super::query::is_readable;
use super::super::reply::Reply;
use crate::data::schema::Kind;
use crate::state::State;

pub fn document(state: &State) -> Reply {
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <edmx:Edmx Version=\"4.0\" xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\">\
         <edmx:DataServices><Schema Namespace=\"Microsoft.Dynamics.CRM\" Alias=\"mscrm\" \
         xmlns=\"http://docs.oasis-open.org/odata/ns/edm\">\
         <EntityType Name=\"crmbaseentity\" Abstract=\"true\" />",
    );
    for (place, table) in state.tables.iter().enumerate() {
        if !table.dropped {
            entity_type(state, place, &mut xml);
        }
    }
    for (name, fields) in [
        (
            "WhoAmI",
            "<Property Name=\"BusinessUnitId\" Type=\"Edm.Guid\" Nullable=\"false\" />\
             <Property Name=\"UserId\" Type=\"Edm.Guid\" Nullable=\"false\" />\
             <Property Name=\"OrganizationId\" Type=\"Edm.Guid\" Nullable=\"false\" />",
        ),
        (
            "RetrieveVersion",
            "<Property Name=\"Version\" Type=\"Edm.String\" />",
        ),
    ] {
        let _ = write!(
            xml,
            "<ComplexType Name=\"{name}Response\">{fields}</ComplexType>\
             <Function Name=\"{name}\"><ReturnType Type=\"mscrm.{name}Response\" Nullable=\"false\" /></Function>"
        );
    }
    xml.push_str("<EntityContainer Name=\"System\">");
    for (place, table) in state.tables.iter().enumerate() {
        if table.dropped {
            continue;
        }
        let _ = write!(
            xml,
            "<EntitySet Name=\"{}\" EntityType=\"Microsoft.Dynamics.CRM.{}\">",
            table.set, table.name
        );
        for (name, target, _) in navigations(state, place) {
            let _ = write!(
                xml,
                "<NavigationPropertyBinding Path=\"{name}\" Target=\"{}\" />",
                state.tables[target].set
            );
        }
        xml.push_str("</EntitySet>");
    }
    xml.push_str(
        "<FunctionImport Name=\"WhoAmI\" Function=\"Microsoft.Dynamics.CRM.WhoAmI\" />\
         <FunctionImport Name=\"RetrieveVersion\" Function=\"Microsoft.Dynamics.CRM.RetrieveVersion\" />\
         </EntityContainer></Schema></edmx:DataServices></edmx:Edmx>",
    );
    Reply::typed("application/xml", xml)
}

fn entity_type(state: &State, place: usize, xml: &mut String) {
    let table = &state.tables[place];
    let _ = write!(
        xml,
        "<EntityType Name=\"{}\" BaseType=\"mscrm.crmbaseentity\"><Key><PropertyRef Name=\"{}\" /></Key>",
        table.name, table.primary_id
    );
    for column in table
        .columns
        .iter()
        .filter(|column| is_readable(column.kind))
    {
        let of = match column.kind {
            Kind::Integer | Kind::Picklist | Kind::State | Kind::Status => "Edm.Int32",
            Kind::BigInt => "Edm.Int64",
            Kind::Decimal | Kind::Money => "Edm.Decimal",
            Kind::Double => "Edm.Double",
            Kind::Boolean => "Edm.Boolean",
            Kind::DateTime | Kind::FixedDateTime => "Edm.DateTimeOffset",
            Kind::DateOnly => "Edm.Date",
            Kind::Id | Kind::Lookup | Kind::Customer | Kind::Owner => "Edm.Guid",
            Kind::Image => "Edm.Binary",
            _ => "Edm.String",
        };
        let _ = write!(
            xml,
            "<Property Name=\"{}\" Type=\"{of}\" />",
            escaped(&column.wire)
        );
    }
    for (name, target, is_many) in navigations(state, place) {
        let target = format!("mscrm.{}", state.tables[target].name);
        let of = if is_many {
            format!("Collection({target})")
        } else {
            target
        };
        let _ = write!(
            xml,
            "<NavigationProperty Name=\"{}\" Type=\"{of}\" />",
            escaped(&name)
        );
    }
    xml.push_str("</EntityType>");
}

/// Navigation properties: name, target, and whether it is a collection. Each name once.
fn navigations(state: &State, place: usize) -> Vec<(String, usize, bool)> {
    let here = &state.tables[place];
    let mut list: Vec<(String, usize, bool)> = Vec::new();
    for column in here.columns.iter().filter(|column| column.is_lookup()) {
        for target in &column.targets {
            if let Some(there) = state.table(target) {
                list.push((column.navigation(here.name, target), there, false));
            }
        }
    }
    for (child, table) in state.tables.iter().enumerate() {
        for column in table.columns.iter().filter(|column| column.is_lookup()) {
            if !table.dropped && column.targets.contains(&here.name) {
                list.push((column.relationship(table.name, here.name), child, true));
            }
        }
    }
    list.sort();
    list.dedup_by(|left, right| left.0 == right.0);
    list
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
