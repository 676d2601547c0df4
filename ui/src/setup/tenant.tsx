/** The tenant, looked up as soon as it is typed. */
import { useQuery } from "@tanstack/react-query";
import { commands, type FoundTenant } from "../bridge/generated";
import { Good } from "./parts";
import type { SetupControl } from "./use-setup";

export function useTenant(control: SetupControl) {
  // By what is kept, which core has checked.
  const { cloud, authority, tenant } = control.setup.draft;
  return useQuery({
    queryKey: ["tenant", cloud, authority, tenant],
    queryFn: () => commands.findTenant(),
    enabled:
      tenant.trim() !== "" && !control.problem("tenant") && control.problem("authority") === null,
  });
}

export function TenantFound({ tenant }: { tenant: FoundTenant }) {
  return (
    <Good>
      Tenant found: {tenant.id}, at {tenant.authority}
    </Good>
  );
}
