//! What bodies of writes hold, for the document: made of the fields that the unified model writes.

use salesmirror_core::unified::Object;
use salesmirror_core::unified::write::{FieldKind, fields};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat,
    SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};

/// Characters of a text at most: more than any column of Dataverse holds.
const LONGEST_TEXT: usize = 1_048_576;

/// The bodies of a create and of an update.
macro_rules! bodies {
    ($($object:ident: $new:ident, $changed:ident;)*) => {
        $(
            /// A record to be made.
            pub struct $new;
            /// What is to be changed of a record.
            pub struct $changed;

            impl PartialSchema for $new {
                fn schema() -> RefOr<Schema> {
                    body(Object::$object, true)
                }
            }

            impl ToSchema for $new {}

            impl PartialSchema for $changed {
                fn schema() -> RefOr<Schema> {
                    body(Object::$object, false)
                }
            }

            impl ToSchema for $changed {}
        )*
    };
}

bodies! {
    Account: NewAccount, ChangedAccount;
    Contact: NewContact, ChangedContact;
    Lead: NewLead, ChangedLead;
    Opportunity: NewOpportunity, ChangedOpportunity;
}

fn body(object: Object, is_new: bool) -> RefOr<Schema> {
    let mut body = closed()
        .property("record", record(object))
        .required("record");
    if is_new {
        let id = nullable(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            .description(Some(
                "The record's id. The same id once more makes no second record.",
            ));
        body = body.property("id", id);
    }
    RefOr::T(body.build().into())
}

fn record(object: Object) -> ObjectBuilder {
    let mut record = closed().description(Some(
        "Only the fields that are there are written; null empties one.",
    ));
    for field in fields(object).filter(|field| field.is_writable) {
        record = record.property(field.name, schema(field.kind));
    }
    let any = Schema::Object(
        ObjectBuilder::new()
            .schema_type(SchemaType::AnyValue)
            .build(),
    );
    let custom = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Object))
        .description(Some(
            "Columns of the table by their logical names, your own ones too.",
        ))
        .additional_properties(Some(AdditionalProperties::RefOr(RefOr::T(any))));
    record.property("custom_fields", custom)
}

fn closed() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Object))
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
}

fn nullable(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Array(vec![kind, Type::Null]))
}

fn known(format: KnownFormat) -> Option<SchemaFormat> {
    Some(SchemaFormat::KnownFormat(format))
}

fn text() -> ObjectBuilder {
    nullable(Type::String).max_length(Some(LONGEST_TEXT))
}

fn words(words: &[&str]) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .enum_values(Some(words.iter().copied()))
}

fn schema(kind: FieldKind) -> Schema {
    let list = |item: ObjectBuilder| Schema::Array(ArrayBuilder::new().items(item).build());
    match kind {
        FieldKind::Text => text().build().into(),
        FieldKind::Label => ObjectBuilder::new()
            .schema_type(SchemaType::Array(vec![
                Type::String,
                Type::Integer,
                Type::Null,
            ]))
            .description(Some("A label of the organisation's, or its number."))
            .build()
            .into(),
        FieldKind::Integer => nullable(Type::Integer)
            .minimum(Some(i32::MIN))
            .maximum(Some(i32::MAX))
            .build()
            .into(),
        FieldKind::Decimal => nullable(Type::Number).build().into(),
        FieldKind::Boolean => nullable(Type::Boolean).build().into(),
        FieldKind::Day => nullable(Type::String)
            .format(known(KnownFormat::Date))
            .build()
            .into(),
        FieldKind::Moment => nullable(Type::String)
            .format(known(KnownFormat::DateTime))
            .build()
            .into(),
        FieldKind::Id => nullable(Type::String)
            .format(known(KnownFormat::Uuid))
            .build()
            .into(),
        FieldKind::Words(all) => words(all).build().into(),
        FieldKind::Addresses => {
            let parts = [
                "street_1",
                "street_2",
                "city",
                "state",
                "postal_code",
                "country",
            ];
            let address = parts
                .into_iter()
                .fold(closed(), |address, part| address.property(part, text()));
            let kinds = ["primary", "billing", "mailing", "shipping", "other"];
            list(address.property("address_type", words(&kinds)))
        }
        FieldKind::PhoneNumbers => {
            let kinds = ["primary", "mobile", "fax", "other"];
            list(
                closed()
                    .property("phone_number", text())
                    .property("phone_number_type", words(&kinds))
                    .required("phone_number"),
            )
        }
        FieldKind::EmailAddresses => {
            let kinds = ["primary", "work", "other"];
            list(
                closed()
                    .property("email_address", text())
                    .property("email_address_type", words(&kinds))
                    .required("email_address"),
            )
        }
    }
}
