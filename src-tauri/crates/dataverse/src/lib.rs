//! Client of the Dataverse Web API.
