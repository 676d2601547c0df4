import {
  Building20Regular,
  ContactCard20Regular,
  PeopleTeam20Regular,
  PersonArrowRight20Regular,
  Table20Regular,
  TargetArrow20Regular,
} from "@fluentui/react-icons";

/** The icon of a table; the five that everybody has, else a plain one. */
export function TableIcon({ table }: { table: string }) {
  switch (table) {
    case "account":
      return <Building20Regular />;
    case "contact":
      return <ContactCard20Regular />;
    case "lead":
      return <PersonArrowRight20Regular />;
    case "opportunity":
      return <TargetArrow20Regular />;
    case "systemuser":
      return <PeopleTeam20Regular />;
    default:
      return <Table20Regular />;
  }
}
