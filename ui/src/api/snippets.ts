/** Calls of the local API as they are written in a terminal or a script. */

export type Language = "curl" | "powershell" | "python";

export const LANGUAGES: { language: Language; label: string }[] = [
  { language: "curl", label: "curl" },
  { language: "powershell", label: "PowerShell" },
  { language: "python", label: "Python" },
];

export interface Operation {
  id: string;
  label: string;
  method: "GET" | "POST" | "PATCH" | "DELETE";
  path: string;
  body?: object;
}

/** What a caller can do with an object, as far as it can be changed at all. */
export function operationsOf(object: string): Operation[] {
  const one = `/crm/v2/${object}/RECORD_ID`;
  const reading: Operation[] = [
    { id: "list", label: "List", method: "GET", path: `/crm/v2/${object}?page_size=100` },
    { id: "get", label: "Read one", method: "GET", path: one },
  ];
  const example = EXAMPLES[object];
  if (!example) return reading;
  const [, change] = Object.entries(example).map(([name, value]) => ({ [name]: value }));
  return [
    ...reading,
    {
      id: "create",
      label: "Create",
      method: "POST",
      path: `/crm/v2/${object}`,
      body: { record: example },
    },
    { id: "update", label: "Update", method: "PATCH", path: one, body: { record: change } },
    { id: "delete", label: "Delete", method: "DELETE", path: one },
  ];
}

/** Users cannot be written. */
const EXAMPLES: Record<string, Record<string, string>> = {
  accounts: { name: "Norrvale Group", website: "https://norrvale.example" },
  contacts: { last_name: "Quillfeather", first_name: "Zeno" },
  leads: { last_name: "Brandvik", company: "Osterhall Energy" },
  opportunities: { name: "Spare parts 2027", description: "Yearly order" },
};

export const OBJECTS = ["accounts", "contacts", "leads", "opportunities", "users"];

/** What stands for the key where it is not known: it is shown once and not kept. */
const VARIABLE = "SALESMIRROR_API_KEY";

/** The call, ready to be run; with the key where there is one. */
export function snippet(
  language: Language,
  base: string,
  { method, path, body }: Operation,
  key: string | null,
): string {
  const url = base + path;
  const json = body ? JSON.stringify(body) : null;
  switch (language) {
    case "curl": {
      const lines = [
        `curl ${method === "GET" ? "" : `-X ${method} `}"${url}"`,
        `  -H "Authorization: Bearer ${key ?? `$${VARIABLE}`}"`,
        ...(json ? [`  -H "Content-Type: application/json"`, `  -d '${json}'`] : []),
      ];
      return lines.join(" \\\n");
    }
    case "powershell": {
      const token = key ? `"Bearer ${key}"` : `"Bearer $env:${VARIABLE}"`;
      const lines = [
        `Invoke-RestMethod -Method ${method[0]}${method.slice(1).toLowerCase()} "${url}"`,
        `  -Headers @{ Authorization = ${token} }`,
        ...(json ? [`  -ContentType "application/json"`, `  -Body '${json}'`] : []),
      ];
      return lines.join(" `\n");
    }
    case "python": {
      const token = key ? `"Bearer ${key}"` : `"Bearer " + os.environ["${VARIABLE}"]`;
      return [
        ...(key ? [] : ["import os"]),
        "import requests",
        "",
        `reply = requests.${method.toLowerCase()}(`,
        `    "${url}",`,
        `    headers={"Authorization": ${token}},`,
        ...(json ? [`    json=${json},`] : []),
        ")",
        "print(reply.json())",
      ].join("\n");
    }
  }
}
