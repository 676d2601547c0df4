//! What the tables are made of, in the text that `columns` reads.

use super::columns::{
    INDUSTRY, address, column, common, custom, key, leak, reachable, third_address,
};
use super::schema::Table;

/// All tables as they are at first.
pub fn tables() -> Vec<Table> {
    let active = common("0:Active,1:Inactive", "1:Active:0,2:Inactive:1");
    let account = format!(
        "accountid|Account|id\nname|Account Name|text\naccountnumber|Account Number|text\n{}{}{}{active}\
         industrycode|Industry|choice|{INDUSTRY}\nnumberofemployees|Number of Employees|integer\n\
         revenue|Annual Revenue|money\nrevenue_base|Annual Revenue (Base)|money\n\
         creditlimit|Credit Limit|money\ncreditonhold|Credit Hold|boolean|0:No,1:Yes\n\
         customertypecode|Relationship Type|choice|1:Competitor,2:Consultant,3:Customer,8:Prospect,11:Vendor\n\
         parentaccountid|Parent Account|lookup|account\nprimarycontactid|Primary Contact|lookup|contact\n\
         ownershipcode|Ownership|choice|1:Public,2:Private,3:Subsidiary,4:Other\ntickersymbol|Ticker Symbol|text\n\
         sic|SIC Code|text\nnrv_segments|Segments|multiselect|1:Energy,2:Industry,3:Public,4:Retail\n\
         nrv_hostile|\"; drop table|text\nnrv_unlabelled||text\n{}",
        reachable(),
        address(1),
        address(2),
        custom("account", 26),
    );
    let contact = format!(
        "contactid|Contact|id\nfullname|Full Name|text\nfirstname|First Name|text\nmiddlename|Middle Name|text\n\
         lastname|Last Name|text\nsalutation|Salutation|text\njobtitle|Job Title|text\ndepartment|Department|text\n\
         mobilephone|Mobile Phone|text\nparentcustomerid|Company Name|customer|account,contact\n{}{}{}{active}\
         birthdate|Birthday|dateonly\ngendercode|Gender|choice|1:Male,2:Female\n\
         familystatuscode|Marital Status|choice|1:Single,2:Married,3:Divorced,4:Widowed\n\
         accountrolecode|Role|choice|1:Decision Maker,2:Employee,3:Influencer\ncreditlimit|Credit Limit|money\n\
         nickname|Nickname|text\nassistantname|Assistant|text\nassistantphone|Assistant Phone|text\n\
         managername|Manager|text\nspousesname|Spouse/Partner Name|text\nanniversary|Anniversary|dateonly\n{}{}",
        reachable(),
        address(1),
        address(2),
        third_address(),
        custom("contact", 18),
    );
    let lead_states = common(
        "0:Open,1:Qualified,2:Disqualified",
        "1:New:0,2:Contacted:0,3:Qualified:1,4:Lost:2,5:Cannot Contact:2,6:No Longer Interested:2,7:Canceled:2",
    );
    let lead = format!(
        "leadid|Lead|id\nfullname|Name|text\nsubject|Topic|text\nfirstname|First Name|text\nlastname|Last Name|text\n\
         companyname|Company Name|text\njobtitle|Job Title|text\nmobilephone|Mobile Phone|text\n{}{}{}{lead_states}\
         leadsourcecode|Lead Source|choice|1:Advertisement,2:Employee Referral,3:External Referral,4:Partner,5:Public Relations,6:Seminar,7:Trade Show,8:Web,9:Word of Mouth,10:Other\n\
         leadqualitycode|Rating|choice|1:Hot,2:Warm,3:Cold\nindustrycode|Industry|choice|{INDUSTRY}\n\
         estimatedamount|Est. Value|money\nestimatedamount_base|Est. Value (Base)|money\n\
         estimatedclosedate|Est. Close Date|dateonly\nparentaccountid|Parent Account|lookup|account\n\
         parentcontactid|Parent Contact|lookup|contact\n\
         qualifyingopportunityid|Qualifying Opportunity|lookup|opportunity\n\
         revenue|Annual Revenue|money\nnumberofemployees|No. of Employees|integer\n{}",
        reachable(),
        address(1),
        address(2),
        custom("lead", 26),
    );
    let deal_states = common(
        "0:Open,1:Won,2:Lost",
        "1:In Progress:0,2:On Hold:0,100000001:Awaiting Paperwork:0,3:Won:1,4:Canceled:2,5:Out-Sold:2",
    );
    let opportunity = format!(
        "opportunityid|Opportunity|id\nname|Topic|text\ncustomerid|Potential Customer|customer|account,contact\n\
         parentaccountid|Account|lookup|account\nparentcontactid|Contact|lookup|contact\n\
         estimatedvalue|Est. Revenue|money\nestimatedvalue_base|Est. Revenue (Base)|money\n\
         actualvalue|Actual Revenue|money\nactualvalue_base|Actual Revenue (Base)|money\n\
         estimatedclosedate|Est. Close Date|dateonly\nactualclosedate|Actual Close Date|dateonly\n\
         closeprobability|Probability|integer\nstepname|Pipeline Phase|text\n\
         salesstage|Sales Stage|choice|0:Qualify,1:Develop,2:Propose,3:Close\n\
         opportunityratingcode|Rating|choice|1:Hot,2:Warm,3:Cold\nprioritycode|Priority|choice|1:Default Value\n\
         budgetamount|Budget Amount|money\ntotalamount|Total Amount|money\ndiscountpercentage|Opportunity Discount (%)|decimal\n\
         description|Description|memo\ncurrentsituation|Current Situation|memo\ncustomerneed|Customer Need|memo\n\
         originatingleadid|Originating Lead|lookup|lead\ndecisionmaker|Decision Maker?|boolean|0:mark complete,1:completed\n{deal_states}{}",
        custom("opportunity", 74),
    );
    let user = format!(
        "systemuserid|User|id\nfullname|Full Name|text\ndomainname|User Name|text\ninternalemailaddress|Primary Email|text\n\
         firstname|First Name|text\nlastname|Last Name|text\ntitle|Title|text\njobtitle|Job Title|text\n\
         isdisabled|Status|boolean|0:Enabled,1:Disabled\naccessmode|Access Mode|choice|0:Read-Write,1:Administrative,2:Read,4:Non-interactive\n\
         azureactivedirectoryobjectid|Azure AD Object ID|id\napplicationid|Application ID|id\n\
         businessunitid|Business Unit|lookup|businessunit\nparentsystemuserid|Manager|lookup|systemuser\n\
         mobilephone|Mobile Phone|text\nhomephone|Home Phone|text\nemployeeid|Employee|text\nnickname|Nickname|text\n\
         createdon|Created On|datetime\nmodifiedon|Modified On|datetime\ncreatedby|Created By|lookup|systemuser\n\
         modifiedby|Modified By|lookup|systemuser\ntransactioncurrencyid|Currency|lookup|transactioncurrency\n\
         exchangerate|Exchange Rate|decimal\nversionnumber|Version Number|bigint\n{}{}{}",
        address(1),
        address(2),
        custom("user", 56),
    );
    let team = "teamid|Team|id\nname|Team Name|text\nbusinessunitid|Business Unit|lookup|businessunit\n\
        teamtype|Team Type|choice|0:Owner,1:Access\ncreatedon|Created On|datetime\nmodifiedon|Modified On|datetime\nversionnumber|Version Number|bigint\n";
    let currency = "transactioncurrencyid|Transaction Currency|id\ncurrencyname|Currency Name|text\nisocurrencycode|Currency Code|text\n\
        currencysymbol|Currency Symbol|text\nexchangerate|Exchange Rate|decimal\nmodifiedon|Modified On|datetime\nversionnumber|Version Number|bigint\n";
    let unit = "businessunitid|Business Unit|id\nname|Name|text\nmodifiedon|Modified On|datetime\nversionnumber|Version Number|bigint\n";
    let organization = "organizationid|Organization|id\nname|Organization Name|text\n\
        expirechangetrackingindays|Days to Expire Change Tracking Deleted Records|integer\nexpiresubscriptionsindays|Days to Expire Subscriptions|integer\n\
        versionnumber|Version Number|bigint\n";
    let table = |name,
                 schema,
                 set,
                 label,
                 plural,
                 primary_name,
                 type_code,
                 tracked,
                 rows,
                 columns: &str| {
        let primary_id = match name {
            "task" => "activityid",
            "opportunitysalesprocess" => "businessprocessflowinstanceid",
            _ => leak(&format!("{name}id")),
        };
        let keys = match name {
            "account" => vec![key(
                "nrv_accountnumber",
                "Account Number",
                &["accountnumber"],
            )],
            "nrv_serviceline" => {
                vec![
                    key("nrv_code", "Code", &["nrv_code"]),
                    key("nrv_place", "Place", &["nrv_region", "nrv_units"]),
                ]
            }
            _ => vec![],
        };
        Table {
            name,
            schema,
            set,
            label,
            plural,
            primary_id,
            primary_name,
            type_code,
            tracked,
            rows,
            largest_page: if name == "nrv_reading" { 500 } else { 5_000 },
            keys,
            columns: columns.lines().map(column).collect(),
            dropped: false,
        }
    };
    vec![
        table(
            "account", "Account", "accounts", "Account", "Accounts", "name", 1, true, 2_000,
            &account,
        ),
        table(
            "contact", "Contact", "contacts", "Contact", "Contacts", "fullname", 2, true, 12_000,
            &contact,
        ),
        table(
            "lead", "Lead", "leads", "Lead", "Leads", "fullname", 4, true, 3_500, &lead,
        ),
        table(
            "opportunity",
            "Opportunity",
            "opportunities",
            "Opportunity",
            "Opportunities",
            "name",
            3,
            true,
            2_400,
            &opportunity,
        ),
        table(
            "systemuser",
            "SystemUser",
            "systemusers",
            "User",
            "Users",
            "fullname",
            8,
            true,
            100,
            &user,
        ),
        table(
            "team", "Team", "teams", "Team", "Teams", "name", 9, true, 6, team,
        ),
        table(
            "transactioncurrency",
            "TransactionCurrency",
            "transactioncurrencies",
            "Currency",
            "Currencies",
            "currencyname",
            9105,
            false,
            4,
            currency,
        ),
        table(
            "businessunit",
            "BusinessUnit",
            "businessunits",
            "Business Unit",
            "Business Units",
            "name",
            10,
            false,
            3,
            unit,
        ),
        table(
            "organization",
            "Organization",
            "organizations",
            "Organization",
            "Organizations",
            "name",
            1019,
            false,
            1,
            organization,
        ),
        table(
            "nrv_serviceline",
            "nrv_ServiceLine",
            "nrv_servicelineset",
            "Service Line",
            "Service Lines",
            "nrv_title",
            10_412,
            true,
            60,
            &service_line(),
        ),
        table(
            "task",
            "Task",
            "tasks",
            "Task",
            "Tasks",
            "subject",
            4_212,
            true,
            400,
            &task(),
        ),
        table(
            "processstage",
            "ProcessStage",
            "processstages",
            "Process Stage",
            "Process Stages",
            "stagename",
            4_724,
            false,
            4,
            "processstageid|Process Stage|id\nstagename|Stage Name|text\nprocessid|Process|lookup|workflow\n\
             stagecategory|Stage Category|choice|0:Qualify,1:Develop,2:Propose,3:Close\nversionnumber|Version Number|bigint\n",
        ),
        table(
            "opportunitysalesprocess",
            "OpportunitySalesProcess",
            "opportunitysalesprocesses",
            "Opportunity Sales Process",
            "Opportunity Sales Processes",
            "name",
            9_953,
            true,
            2_400,
            "businessprocessflowinstanceid|Business Process Flow Instance|id\nname|Name|text\n\
             opportunityid|Opportunity|lookup|opportunity\nactivestageid|Active Stage|lookup|processstage\n\
             processid|Process|lookup|workflow\ntraversedpath|Traversed Path|text\n\
             statecode|Status|state|0:Active,1:Inactive\nstatuscode|Status Reason|status|1:Active:0,2:Finished:1,3:Aborted:1\n\
             createdon|Created On|datetime\nmodifiedon|Modified On|datetime\nversionnumber|Version Number|bigint\n",
        ),
        table(
            "workflow",
            "Workflow",
            "workflows",
            "Process",
            "Processes",
            "name",
            4_703,
            false,
            2,
            "workflowid|Process|id\nname|Process Name|text\nuniquename|Unique Name|text\n\
             category|Category|choice|0:Workflow,4:Business Process Flow\nprimaryentity|Primary Entity|entityname\n\
             iscustomizable|Customizable|managed\nversionnumber|Version Number|bigint\n",
        ),
        table(
            "nrv_reading",
            "nrv_Reading",
            "nrv_readings",
            "Reading",
            "Readings",
            "nrv_name",
            10_413,
            false,
            1_200,
            "nrv_readingid|Reading|id\nnrv_name|Name|text\nnrv_value|Value|double\npartitionid|Partition Id|text\n\
             ttlinseconds|Time to live|integer\ncreatedon|Created On|datetime\nversionnumber|Version Number|bigint\n",
        ),
    ]
}

/// One column of every kind, and some that are hard to ask for.
fn service_line() -> String {
    let common = common(
        "0:Active,1:Inactive",
        "1:Active:0,100000001:Under Review:0,2:Inactive:1",
    );
    format!(
        "nrv_servicelineid|Service Line|id\nnrv_title|Title|text\nnrv_code|Code|text\nnrv_notes|Notes|memo\n\
         nrv_units|Units|integer\nnrv_serial|Serial|bigint\nnrv_share|Share|decimal\nnrv_ratio|Ratio|double\n\
         nrv_fee|Fee|money\nnrv_fee_base|Fee (Base)|money\nnrv_isactive|Is Active|boolean|0:No,1:Yes\n\
         nrv_grade|Grade|choice|100000000:Gold,100000001:Silver,100000002:Bronze\n\
         nrv_region|Region|choice|@nrv_region\nnrv_channels|Channels|multiselect|@nrv_channel\n\
         nrv_visitedon|Visited On|datetime\nnrv_startsat|Starts At|fixeddatetime\nnrv_validfrom|Valid From|dateonly\n\
         nrv_AccountId|Account|lookup|account\nnrv_Customer|Customer|customer|account,contact\n\
         nrv_processid|Process Id|id\nentityimage|Image|image\nnrv_contract|Contract|file\n\
         nrv_objecttype|Object Type|entityname\nnrv_iscustomizable|Customizable|managed\n{common}"
    )
}

/// An activity: its primary id is not named after its table.
fn task() -> String {
    let common = common(
        "0:Open,1:Completed,2:Canceled",
        "2:Not Started:0,3:In Progress:0,4:Waiting on someone else:0,7:Deferred:0,5:Completed:1,6:Canceled:2",
    );
    format!(
        "activityid|Task|id\nsubject|Subject|text\ndescription|Description|memo\n\
         activitytypecode|Activity Type|entityname\nregardingobjectid|Regarding|lookup|account,contact,opportunity,lead\n\
         prioritycode|Priority|choice|0:Low,1:Normal,2:High\nscheduledend|Due Date|datetime\n\
         actualdurationminutes|Duration|integer\npercentcomplete|Percent Complete|integer\n{common}"
    )
}
