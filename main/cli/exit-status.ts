/** Exit statuses of `pollen` beyond the guest's own (contracts: "Exit status"). */
export const UNMET = 1
export const LIMIT_REACHED = 124
export const BAD_ARGUMENTS = 125
