import {
  Button,
  Link,
  Menu,
  MenuDivider,
  MenuGroup,
  MenuGroupHeader,
  MenuItem,
  MenuItemRadio,
  MenuList,
  MenuPopover,
  MenuTrigger,
} from "@fluentui/react-components";
import { ChevronDown16Regular, Delete16Regular, Save16Regular } from "@fluentui/react-icons";
import { useState } from "react";
import { NameDialog } from "../parts/name-dialog";
import { isSame, type Kind, type SavedView, USUAL, type ViewState, withView } from "./layout";

const KINDS: Record<Kind, string> = {
  live: "All rows",
  stale: "Stale rows",
  deleted: "Deleted rows",
};

/** Picks a view: the three of every table, and those that were saved. */
export function ViewsMenu({
  state,
  views,
  current,
  own,
  onChoose,
  onKeep,
}: {
  state: ViewState;
  views: SavedView[];
  /** Name of the saved view that this began as; `null` for one of the three. */
  current: string | null;
  /** The table's own columns, as they were left. */
  own: ViewState["columns"];
  onChoose: (state: ViewState, name: string | null) => void;
  onKeep: (views: SavedView[], current: string | null) => void;
}) {
  const [isNaming, setNaming] = useState(false);
  const saved = views.find((view) => view.name === current);
  // A table's own columns are kept as they are left; only a saved view has columns of its own.
  const base = saved?.state ?? { ...USUAL, kind: state.kind, columns: state.columns };
  const isEdited = !isSame(base, state);
  const value = saved ? `view:${saved.name}` : state.kind;
  const choose = (wanted: string) => {
    const view = views.find(({ name }) => wanted === `view:${name}`);
    if (view) onChoose(view.state, view.name);
    else onChoose({ ...USUAL, kind: wanted as Kind, columns: own }, null);
  };
  return (
    <>
      <Menu
        checkedValues={{ view: [value] }}
        onCheckedValueChange={(_, { checkedItems }) => choose(checkedItems[0] ?? "live")}
      >
        <MenuTrigger disableButtonEnhancement>
          <Button
            appearance="subtle"
            icon={<ChevronDown16Regular />}
            iconPosition="after"
            className="view-picker"
            data-testid="view-picker"
          >
            <span className="view-name">{saved?.name ?? KINDS[state.kind]}</span>
          </Button>
        </MenuTrigger>
        <MenuPopover>
          <MenuList>
            {(Object.keys(KINDS) as Kind[]).map((known) => (
              <MenuItemRadio key={known} name="view" value={known} data-testid={`kind-${known}`}>
                {KINDS[known]}
              </MenuItemRadio>
            ))}
            {views.length > 0 ? (
              <MenuGroup>
                <MenuGroupHeader>Saved views</MenuGroupHeader>
                {views.map(({ name }) => (
                  <MenuItemRadio
                    key={name}
                    name="view"
                    value={`view:${name}`}
                    data-testid="saved-view"
                  >
                    {name}
                  </MenuItemRadio>
                ))}
              </MenuGroup>
            ) : null}
            <MenuDivider />
            <MenuItem
              icon={<Save16Regular />}
              onClick={() => setNaming(true)}
              data-testid="view-save-as"
            >
              Save as a new view
            </MenuItem>
            {saved ? (
              <MenuItem
                icon={<Delete16Regular />}
                onClick={() =>
                  onKeep(
                    views.filter(({ name }) => name !== saved.name),
                    null,
                  )
                }
                data-testid="view-delete"
              >
                Delete “{saved.name}”
              </MenuItem>
            ) : null}
          </MenuList>
        </MenuPopover>
      </Menu>
      {isEdited ? (
        <span className="view-edited">
          <span className="caption">Edited</span>
          <Link
            as="button"
            type="button"
            onClick={() =>
              saved
                ? onKeep(withView(views, { name: saved.name, state }), saved.name)
                : setNaming(true)
            }
            data-testid="view-save"
          >
            Save view
          </Link>
          <Link
            as="button"
            type="button"
            onClick={() => onChoose(base, saved?.name ?? null)}
            data-testid="view-reset"
          >
            Reset
          </Link>
        </span>
      ) : null}
      {isNaming ? (
        <NameDialog
          title="Save view"
          verb="Save view"
          noun="view"
          isTaken={(name) => views.some((view) => view.name === name)}
          canReplace
          note="Filters, order and columns are kept under this name, on this computer."
          onClose={() => setNaming(false)}
          onName={(name) => {
            onKeep(withView(views, { name, state }), name);
            setNaming(false);
          }}
        />
      ) : null}
    </>
  );
}
