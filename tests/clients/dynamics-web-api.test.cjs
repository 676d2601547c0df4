// A client of the Web API for Node that was written elsewhere, held against the sample organisation.
"use strict";

const assert = require("node:assert/strict");
const { readFileSync } = require("node:fs");
const { test } = require("node:test");
const { DynamicsWebApi } = require("dynamics-web-api");

const { version } = JSON.parse(
  readFileSync(`${process.env.NODE_PATH}/dynamics-web-api/package.json`, "utf8"),
);
const org = JSON.parse(process.env.SAMPLE_ORG);
const MISSING = "11111111-2222-3333-4444-555555555555";
const FORMATTED = "OData.Community.Display.V1.FormattedValue";

console.log(`dynamics-web-api ${version}, Node ${process.version}`);

let token;

async function signIn() {
  if (!token) {
    const reply = await fetch(`${org.authority_url}${org.tenant_id}/oauth2/v2.0/token`, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "client_credentials",
        client_id: org.client_id,
        client_secret: org.client_secret,
        scope: `${org.environment_url}/.default`,
      }),
    });
    token = (await reply.json()).access_token;
  }
  return token;
}

const api = new DynamicsWebApi({
  serverUrl: org.environment_url,
  dataApi: { version: "9.2" },
  onTokenRefresh: signIn,
});

async function control(path, body) {
  const reply = await fetch(`${org.control_url}/${path}`, { method: "POST", body: JSON.stringify(body ?? {}) });
  assert.equal(reply.status, 200, await reply.clone().text());
  return reply.json();
}

/** What the client says of a refusal. */
async function refused(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it was not refused");
}

test("it asks who it is and for the organisation", async () => {
  const who = await api.callFunction("WhoAmI");
  assert.match(who.UserId, /^[0-9a-f-]{36}$/);
  const organisation = await api.callFunction({
    name: "RetrieveCurrentOrganization",
    parameters: { AccessType: "Microsoft.Dynamics.CRM.EndpointAccessType'Default'" },
  });
  assert.equal(organisation.Detail.OrganizationId, who.OrganizationId);
});

test("it reads all pages, and the annotations of each row", async () => {
  const first = await api.retrieveMultiple({
    collection: "contacts",
    select: ["fullname", "_ownerid_value", "statecode"],
    maxPageSize: 50,
    includeAnnotations: "*",
  });
  assert.equal(first.value.length, 50);
  assert.ok(first.oDataNextLink);
  const row = first.value[0];
  assert.equal(row._ownerid_value_Formatted, row[`_ownerid_value@${FORMATTED}`]);
  assert.ok(["systemuser", "team"].includes(row._ownerid_value_LogicalName));
  assert.equal(row._ownerid_value_NavigationProperty, "ownerid");
  assert.ok(["Active", "Inactive"].includes(row.statecode_Formatted));
  const all = await api.retrieveAll({ collection: "contacts", select: ["fullname"], maxPageSize: 50 });
  assert.equal(new Set(all.value.map((contact) => contact.contactid)).size, 120);
});

test("it counts: plain, filtered and in a page", async () => {
  assert.equal(await api.count({ collection: "contacts" }), 120);
  const active = await api.retrieveAll({ collection: "contacts", select: ["statecode"], filter: "statecode eq 0" });
  assert.equal(await api.count({ collection: "contacts", filter: "statecode eq 0" }), active.value.length);
  const page = await api.retrieveMultiple({ collection: "contacts", select: ["fullname"], count: true, maxPageSize: 5 });
  assert.equal(page.oDataCount, 120);
  const totals = await api.callFunction({
    name: "RetrieveTotalRecordCount",
    parameters: { EntityNames: ["account", "contact"] },
  });
  const { Keys: keys, Values: values } = totals.EntityRecordCountCollection;
  assert.deepEqual(Object.fromEntries(keys.map((key, place) => [key, values[place]])).contact, 120);
});

test("it creates, reads, updates with an ETag, and deletes", async () => {
  const id = await api.create({ collection: "accounts", data: { name: "Größe & Söhne ☂", revenue: 99.25 } });
  assert.match(id, /^[0-9a-f-]{36}$/);
  const made = await api.retrieve({ collection: "accounts", key: id, select: ["name", "revenue"] });
  assert.equal(made.name, "Größe & Söhne ☂");
  assert.equal(made.revenue, 99.25);
  const etag = made["@odata.etag"];
  const changed = await api.update({
    collection: "accounts",
    key: id,
    data: { name: "Größe" },
    ifmatch: etag,
    returnRepresentation: true,
    select: ["name"],
  });
  assert.equal(changed.name, "Größe");
  assert.notEqual(changed["@odata.etag"], etag);
  // The client tells 412 from the others and says so instead of failing.
  assert.equal(await api.update({ collection: "accounts", key: id, data: { name: "late" }, ifmatch: etag }), false);
  const unchanged = { collection: "accounts", key: id, ifnonematch: changed["@odata.etag"], select: ["name"] };
  assert.equal(await api.retrieve(unchanged), undefined, "304 has no body");
  assert.equal(await api.deleteRecord({ collection: "accounts", key: id, ifmatch: etag }), false);
  await api.deleteRecord({ collection: "accounts", key: id });
  const error = await refused(api.retrieve({ collection: "accounts", key: id }));
  assert.deepEqual([error.status, error.code], [404, "0x80040217"]);
});

test("it upserts: creates only, updates only, or both", async () => {
  const request = { collection: "accounts", key: MISSING, data: { name: "Upserted" }, returnRepresentation: true };
  assert.equal(await api.upsert({ ...request, ifmatch: "*" }), null, "there is nothing to update");
  const made = await api.upsert({ ...request, ifnonematch: "*" });
  assert.equal(made.accountid, MISSING);
  assert.equal(await api.upsert({ ...request, ifnonematch: "*" }), null, "it is there already");
  assert.equal((await api.upsert({ ...request, data: { name: "Again" } })).name, "Again");
  await api.deleteRecord({ collection: "accounts", key: MISSING });
});

test("it expands, sorts and takes the first", async () => {
  const found = await api.retrieveMultiple({
    collection: "accounts",
    select: ["name", "_primarycontactid_value"],
    filter: "_primarycontactid_value ne null",
    orderBy: ["name desc"],
    top: 4,
    expand: [{ property: "primarycontactid", select: ["fullname"] }],
  });
  assert.equal(found.value.length, 4);
  for (const row of found.value) assert.equal(row.primarycontactid.contactid, row._primarycontactid_value);
  const names = found.value.map((row) => row.name.toLowerCase());
  assert.deepEqual(names, [...names].sort().reverse());
});

test("a batch holds reads, and writes in a change set that see each other", async () => {
  api.startBatch();
  api.retrieveMultiple({ collection: "systemusers", select: ["fullname"], top: 2 });
  api.create({ collection: "contacts", data: { firstname: "Con", lastname: "Tent" }, contentId: "1" });
  api.create({
    collection: "accounts",
    data: { name: "Batched", "primarycontactid@odata.bind": "$1" },
    contentId: "2",
  });
  api.count({ collection: "contacts" });
  const [users, contact, account, counted] = await api.executeBatch();
  assert.equal(users.value.length, 2);
  assert.match(contact, /^[0-9a-f-]{36}$/);
  assert.equal(counted, 121);
  const row = await api.retrieve({ collection: "accounts", key: account, select: ["_primarycontactid_value"] });
  assert.equal(row._primarycontactid_value, contact);
  await api.deleteRecord({ collection: "accounts", key: account });
  await api.deleteRecord({ collection: "contacts", key: contact });
});

test("a change set with a failure undoes all of it", async () => {
  api.startBatch();
  api.create({ collection: "accounts", data: { name: "Never" } });
  api.update({ collection: "accounts", key: MISSING, data: { name: "nobody" } });
  const error = await refused(api.executeBatch());
  const reasons = Array.isArray(error) ? error : [error];
  assert.ok(reasons.some((reason) => reason.status === 404 || reason.error?.code === "0x80040217"), JSON.stringify(reasons));
  const found = await api.retrieveMultiple({ collection: "accounts", filter: "name eq 'Never'", select: ["name"] });
  assert.equal(found.value.length, 0);
});

test("change tracking gives changes and deletes", async () => {
  const request = { collection: "leads", select: ["fullname", "statecode"], trackChanges: true, maxPageSize: 20 };
  const scan = await api.retrieveAll(request);
  assert.equal(scan.value.length, 50);
  assert.ok(scan.oDataDeltaLink, "the last page carries the delta link");
  const quiet = await api.retrieveMultiple({ collection: "leads" }, scan.oDataDeltaLink);
  assert.deepEqual(quiet.value ?? [], []);
  const id = await api.create({ collection: "leads", data: { firstname: "New", lastname: "Lead", subject: "x" } });
  const gone = scan.value[0].leadid;
  await api.deleteRecord({ collection: "leads", key: gone });
  const delta = await api.retrieveMultiple({ collection: "leads" }, scan.oDataDeltaLink);
  assert.ok(delta.oDataContext.endsWith("/$delta"));
  const [created] = delta.value.filter((row) => row.leadid);
  assert.deepEqual([created.leadid, created.fullname], [id, "New Lead"]);
  const [deleted] = delta.value.filter((row) => row.reason === "deleted");
  assert.equal(deleted.id, gone);
  assert.ok(deleted.oDataContext.endsWith("#leads/$deletedEntity"));
  // What the last one answered with goes on from there.
  const later = await api.retrieveMultiple({ collection: "leads" }, delta.oDataDeltaLink);
  assert.deepEqual(later.value ?? [], []);
});

test("what change tracking does not allow is refused, and expired links are known by their code", async () => {
  const filtered = await refused(
    api.retrieveMultiple({ collection: "leads", select: ["fullname"], filter: "statecode eq 0", trackChanges: true }),
  );
  assert.equal(filtered.status, 400);
  const scan = await api.retrieveAll({ collection: "leads", select: ["fullname"], trackChanges: true });
  await control("delta-tokens/expire");
  const expired = await refused(api.retrieveMultiple({ collection: "leads" }, scan.oDataDeltaLink));
  assert.equal(expired.code, "0x80044352");
});

test("it reads metadata", async () => {
  const account = await api.retrieveEntity({
    key: "LogicalName='account'",
    select: ["LogicalName", "EntitySetName", "PrimaryIdAttribute"],
  });
  assert.deepEqual([account.EntitySetName, account.PrimaryIdAttribute], ["accounts", "accountid"]);
  const picklists = await api.retrieveAttributes({
    entityKey: "LogicalName='account'",
    castType: "Microsoft.Dynamics.CRM.PicklistAttributeMetadata",
    select: ["LogicalName"],
    expand: [{ property: "OptionSet" }],
  });
  const industry = picklists.value.find((column) => column.LogicalName === "industrycode");
  assert.ok(industry.OptionSet.Options.every((option) => Number.isInteger(option.Value)));
  const all = await api.retrieveEntities({ select: ["LogicalName", "EntitySetName"] });
  assert.ok(all.value.some((table) => table.EntitySetName === "opportunities"));
});

test("it understands what is refused", async () => {
  const column = await refused(api.retrieveMultiple({ collection: "accounts", select: ["bogus"] }));
  assert.deepEqual([column.status, column.code], [400, "0x80060888"]);
  assert.match(column.message, /Could not find a property named 'bogus'/);
  const set = await refused(api.retrieveMultiple({ collection: "acounts" }));
  assert.deepEqual([set.status, set.code], [400, "0x80060888"]);
  assert.match(set.message, /Resource not found for the segment 'acounts'/);
  assert.ok(set.headers["x-ms-service-request-id"]);
});
