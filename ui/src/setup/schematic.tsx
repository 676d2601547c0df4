/** Drawings of the portal's pages, where people go wrong. Each says in words what it shows. */
import type { ReactNode } from "react";

const NAVIGATION = ["Overview", "Authentication", "Certificates & secrets", "API permissions"];

/** A page of the portal with its navigation. */
function Portal({
  title,
  current,
  label,
  children,
}: {
  title: string;
  current: string;
  label: string;
  children: ReactNode;
}) {
  return (
    <svg viewBox="0 0 342 200" className="schematic" role="img" aria-label={label}>
      <rect x="0.5" y="0.5" width="341" height="199" rx="6" className="s-window" />
      <line x1="0" y1="26.5" x2="342" y2="26.5" className="s-line" />
      {[13, 22, 31].map((x) => (
        <circle key={x} cx={x} cy="13" r="2.5" className="s-dot" />
      ))}
      <text x="48" y="17" className="s-text">
        {title}
      </text>
      <line x1="96.5" y1="26" x2="96.5" y2="200" className="s-line" />
      {NAVIGATION.map((name, place) => {
        const y = 36 + place * 24;
        return name === current ? (
          <g key={name}>
            <rect x="4" y={y} width="88" height="20" rx="2" className="s-current" />
            <rect x="4" y={y + 3} width="2.5" height="14" rx="1" className="s-bar" />
            <text x="11" y={y + 13.5} className="s-text s-strong">
              {name.length > 15 ? `${name.slice(0, 13)}…` : name}
            </text>
          </g>
        ) : (
          <rect
            key={name}
            x="12"
            y={y + 7}
            width={30 + name.length * 1.6}
            height="6"
            rx="3"
            className="s-blur"
          />
        );
      })}
      {children}
    </svg>
  );
}

function Good({ x, y, width, text }: { x: number; y: number; width: number; text: string }) {
  return (
    <g>
      <rect x={x} y={y} width={width} height="21" rx="3" className="s-good-fill" />
      <text x={x + width / 2} y={y + 14} textAnchor="middle" className="s-on-good">
        {text}
      </text>
    </g>
  );
}

/** Which column of the secrets' table to copy. */
export function SecretSchematic() {
  return (
    <Portal
      title="Salesmirror › Certificates & secrets"
      current="Certificates & secrets"
      label="The table of client secrets has the columns Description, Value and Secret ID. Copy the Value, not the Secret ID."
    >
      <rect x="107" y="36" width="90" height="20" rx="3" className="s-box" />
      <text x="116" y="49.5" className="s-text">
        + New client secret
      </text>
      <text x="107" y="80" className="s-text">
        Description
      </text>
      <text x="176" y="80" className="s-good s-strong">
        Value
      </text>
      <text x="268" y="80" className="s-text">
        Secret ID
      </text>
      <line x1="107" y1="90.5" x2="331" y2="90.5" className="s-line" />
      <rect x="107" y="103" width="50" height="6" rx="3" className="s-blur" />
      <rect x="170.5" y="94.5" width="86" height="24" rx="3" className="s-good-box" />
      <text x="178" y="110" className="s-mono">
        q7~8Q…uN3
      </text>
      <text x="268" y="110" className="s-mono s-faint">
        5f0c2e19-…
      </text>
      <line x1="262" y1="106.5" x2="331" y2="106.5" className="s-wrong" />
      <line x1="107" y1="124.5" x2="331" y2="124.5" className="s-line" />
      <rect x="107" y="136" width="36" height="6" rx="3" className="s-blur" />
      <text x="178" y="142" className="s-mono s-faint">
        q2x••••••
      </text>
      <rect x="268" y="136" width="56" height="6" rx="3" className="s-blur" />
      <line x1="213.5" y1="119" x2="213.5" y2="163" className="s-good-line" />
      <Good x={158} y={163} width={110} text="Copy this one" />
      <line x1="296.5" y1="112" x2="296.5" y2="163" className="s-wrong" />
      <text x="296" y="177" textAnchor="middle" className="s-bad s-strong">
        Not this
      </text>
    </Portal>
  );
}

/** What is entered for a new registration. */
export function RegistrationSchematic({ isPublic }: { isPublic: boolean }) {
  const platform = isPublic ? "Public client (mobile & desktop)" : "Web";
  return (
    <svg
      viewBox="0 0 342 200"
      className="schematic"
      role="img"
      aria-label={`Register an application: the name, single tenant, and under Redirect URI the platform ${platform} with the address.`}
    >
      <rect x="0.5" y="0.5" width="341" height="199" rx="6" className="s-window" />
      <line x1="0" y1="26.5" x2="342" y2="26.5" className="s-line" />
      {[13, 22, 31].map((x) => (
        <circle key={x} cx={x} cy="13" r="2.5" className="s-dot" />
      ))}
      <text x="48" y="17" className="s-text">
        Register an application
      </text>
      <text x="16" y="46" className="s-text s-strong">
        Name
      </text>
      <rect x="16" y="52" width="310" height="18" rx="3" className="s-box" />
      <text x="23" y="64.5" className="s-text">
        Salesmirror
      </text>
      <text x="16" y="87" className="s-text s-strong">
        Supported account types
      </text>
      <circle cx="22" cy="100" r="5" className="s-radio" />
      <circle cx="22" cy="100" r="2.5" className="s-bar" />
      <text x="33" y="103.5" className="s-text">
        Accounts in this organizational directory only (Single tenant)
      </text>
      <text x="16" y="125" className="s-text s-strong">
        Redirect URI
      </text>
      <rect x="16" y="131" width={isPublic ? 138 : 84} height="20" rx="3" className="s-good-box" />
      <text x="23" y="144.5" className="s-text">
        {platform}
      </text>
      <text x={isPublic ? 146 : 92} y="144.5" textAnchor="end" className="s-text">
        ▾
      </text>
      <rect
        x={isPublic ? 160 : 106}
        y="131"
        width={isPublic ? 166 : 220}
        height="20"
        rx="3"
        className="s-good-box"
      />
      <text x={isPublic ? 167 : 113} y="144.5" className="s-mono">
        http://localhost/oauth/callback
      </text>
      <Good x={16} y={166} width={64} text="Register" />
    </svg>
  );
}

/** Where the redirect URI stands afterwards. */
export function RedirectSchematic({ isPublic, uri }: { isPublic: boolean; uri: string }) {
  const platform = isPublic ? "Mobile and desktop applications" : "Web";
  return (
    <Portal
      title="Salesmirror › Authentication"
      current="Authentication"
      label={`The Authentication page, platform ${platform}, with the redirect URI ${uri}${isPublic ? ", and Allow public client flows set to Yes" : ""}. The platform Single-page application does not work.`}
    >
      <rect x="107" y="36" width="82" height="20" rx="3" className="s-box" />
      <text x="116" y="49.5" className="s-text">
        + Add a platform
      </text>
      <rect x="107.5" y="64.5" width="224" height="50" rx="4" className="s-good-box" />
      <text x="116" y="79" className="s-good s-strong">
        {platform}
      </text>
      <text x="116" y="100" className="s-mono">
        {uri}
      </text>
      {isPublic ? (
        <>
          <text x="107" y="138" className="s-text">
            Allow public client flows
          </text>
          <Good x={236} y={125} width={40} text="Yes" />
          <text x="290" y="138.5" className="s-text s-faint">
            No
          </text>
        </>
      ) : null}
      <rect x="107.5" y="154.5" width="224" height="30" rx="4" className="s-box" />
      <text x="116" y="173" className="s-text s-faint">
        Single-page application
      </text>
      <line x1="114" y1="169.5" x2="222" y2="169.5" className="s-wrong" />
      <text x="324" y="173" textAnchor="end" className="s-bad s-strong">
        Not this
      </text>
    </Portal>
  );
}

/** Which permission, and where consent is given. */
export function PermissionSchematic() {
  return (
    <Portal
      title="Salesmirror › API permissions"
      current="API permissions"
      label="The table of API permissions has Dynamics CRM with user_impersonation, type Delegated, and the button Grant admin consent above it."
    >
      <rect x="107" y="36" width="92" height="20" rx="3" className="s-box" />
      <text x="114" y="49.5" className="s-text">
        + Add a permission
      </text>
      <rect x="205" y="36" width="126" height="20" rx="3" className="s-good-box" />
      <text x="213" y="49.5" className="s-text">
        ✓ Grant admin consent
      </text>
      <text x="107" y="78" className="s-text">
        API / Permissions name
      </text>
      <text x="228" y="78" className="s-text">
        Type
      </text>
      <text x="286" y="78" className="s-text">
        Status
      </text>
      <line x1="107" y1="86.5" x2="331" y2="86.5" className="s-line" />
      <text x="107" y="102" className="s-text s-strong">
        ⌄ Dynamics CRM (1)
      </text>
      <rect x="107.5" y="109.5" width="224" height="24" rx="3" className="s-good-box" />
      <text x="116" y="125" className="s-mono">
        user_impersonation
      </text>
      <text x="228" y="125" className="s-text">
        Delegated
      </text>
      <text x="286" y="125" className="s-good s-strong">
        Granted
      </text>
      <text x="107" y="152" className="s-text s-strong">
        ⌄ Microsoft Graph (1)
      </text>
      <text x="116" y="172" className="s-mono s-faint">
        User.Read
      </text>
      <text x="228" y="172" className="s-text s-faint">
        Delegated
      </text>
      <text x="331" y="190" textAnchor="end" className="s-text s-faint">
        was there before, does no harm
      </text>
    </Portal>
  );
}
