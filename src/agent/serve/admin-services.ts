import type { Config } from '../../config/config.ts';
import type { ServicePlan } from './service-plan.ts';

/** The admin listener. */
export function adminServices({ admin }: Config): readonly ServicePlan[] {
  if (admin === undefined) return [];
  const create: ServicePlan['create'] = async (view) => (await import('./observers.ts')).createAdmin(view, admin);
  return [{ service: 'admin', where: admin.where, place: admin.place, create }];
}
