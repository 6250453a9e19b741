/** The hint for a symlink on the way to a configured path that another user can exchange. */
export const FOREIGN_LINK_HINT =
  'Name the directory that it leads to, or let root own the link and the directory that holds it.';
