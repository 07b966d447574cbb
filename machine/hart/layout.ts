/**
 * Where everything lives in the machine's one linear memory. Plain integers, compiled by TypeScript (board, JIT, debugger)
 * and AssemblyScript (the hart core) alike, so that neither can drift from the other.
 *
 *   0x0000_1000  GLOBAL   what the harts share: RAM window, clock, schedule, costs
 *   0x0001_0000  HART 0   one 64 KiB block a hart: registers, CSRs, TLBs, fetch table
 *   ...
 *   0x0009_0000  TRACE    event buffer
 *   0x000b_0000  LINES    which hart last touched a line atomically
 *   0x000c_0000  HEAT     how often control came to a slot (hashed): what the JIT compiles
 *   0x0010_0000  PAGES    for each RAM page: its predecoded page, or 0; then the pool of predecoded pages, then RAM
 *                         (addresses computed by the board: GLOBAL_PAGES, GLOBAL_POOL, GLOBAL_RAM_OFFSET)
 */

// ---- memory map -----------------------------------------------------------------------------------------------------

export const GLOBAL = 0x1000
export const HART_BASE = 0x10000
export const HART_STRIDE = 0x10000
export const MAX_HARTS = 8
export const TRACE_BUFFER = 0x90000
export const TRACE_CAPACITY = 4096
export const LINE_TABLE = 0xb0000
/** Entries of 8 bytes: line address << 4 | hart + 1. */
export const LINE_ENTRIES = 4096
/** Counters of 2 bytes, by slot address: a power of two of them. */
export const HEAT = 0xc0000
export const HEAT_ENTRIES = 16384
/** A slot for the JIT to decode into. */
export const JIT_SLOT = 0xc8000
/**
 * What a compiled region returns: LEAVE, the hart goes on at H_PC; LOOK_UP, it is at a check point whose time has come or has trapped;
 * REFUSE, nothing was done: the region is made for another data TLB. What a region calls may also say GO_ON: behind the instruction.
 */
export const GO_ON = 0
export const LOOK_UP = 1
export const LEAVE = 2
export const REFUSE = 3
export const DYNAMIC_BASE = 0x100000

// ---- GLOBAL: offsets from GLOBAL -------------------------------------------------------------------------------------

export const G_HART_COUNT = 0x000
/** Physical address of RAM (u64), its size in bytes (u64), and the linear-memory offset that holds it (u32). */
export const G_RAM_BASE = 0x008
export const G_RAM_SIZE = 0x010
export const G_RAM_OFFSET = 0x018
export const G_PAGES = 0x01c
export const G_POOL = 0x020
export const G_POOL_PAGES = 0x024
export const G_POOL_USED = 0x028
/** Bit set of EXT_*. */
export const G_EXTENSIONS = 0x02c
/** 12 or 9: privileged specification 1.12 or 1.9.1. */
export const G_PRIVILEGED = 0x030
/** Board time in cycles (i64): never goes back. */
export const G_NOW = 0x038
/** Cycle at which the current round of the schedule ends (i64). */
export const G_ROUND_END = 0x040
/** Cycle of the earliest armed device timer (i64), kept by the board. */
export const G_NEXT_EVENT = 0x048
/** Cycle at which the host wants control back (i64); has no effect on what the guest sees. */
export const G_HOST_LIMIT = 0x050
/** Quantum in cycles (u32). */
export const G_QUANTUM = 0x058
/** Hart whose turn it is (u32). */
export const G_CURRENT = 0x05c
/** Cycles per tick of `time` (u32), and the ticks to add to it (u64). */
export const G_CYCLES_PER_TICK = 0x060
export const G_TIME_OFFSET = 0x068
/** Non-zero: the run loop returns this STOP_* reason at the next event point. */
export const G_STOP = 0x070
/** Instructions retired by all harts may not pass this (i64). */
export const G_TRACE_MASK_LOW = 0x078
export const G_TRACE_MASK_HIGH = 0x080
export const G_TRACE_COUNT = 0x088
export const G_BREAKPOINT_COUNT = 0x08c
export const G_WATCHPOINT_COUNT = 0x090
/** Hart that hit a breakpoint or watchpoint, and the address. */
export const G_HIT_HART = 0x094
export const G_HIT_ADDRESS = 0x098
/** Non-zero while a round is under way: `run` then continues it at G_CURRENT. */
export const G_ROUND_ACTIVE = 0x0a0
/** HTIF: physical address of `tohost` (u64), 0 when there is none. */
export const G_TOHOST = 0x0a8
/** The round was stretched beyond one quantum because only one hart ran. */
export const G_ROUND_ALONE = 0x0b0

/** Hart that ran last, plus one. */
export const G_TURN = 0x0b4
/** Non-zero: a compiled region was dropped since some region last looked (u32). */
export const G_REGION_DROPPED = 0x0b8
/** How often control must have come to a slot before the JIT hears of it (u32); a counter holds less than 65536. */
export const G_HOT = 0x0bc
export const NEVER_HOT = 0x10000
/** Instructions retired in compiled regions (u64). */
export const G_COMPILED_RETIRED = 0x0c0

/** Physical address at which RAM answers a second time, past the caches (u64); 0 when there is no such place. */
export const G_UNCACHED = 0x0e0

/** Cost table (u32 each): cycles added to the one that every instruction takes. */
export const G_COSTS = 0x100
export const COST_LOAD = 0x100
export const COST_STORE = 0x104
export const COST_BRANCH_TAKEN = 0x108
export const COST_JUMP = 0x10c
export const COST_MUL = 0x110
export const COST_DIV = 0x114
export const COST_FP_ADD = 0x118
export const COST_FP_MUL = 0x11c
export const COST_FP_DIV = 0x120
export const COST_FP_SQRT = 0x124
export const COST_FP_MOVE = 0x128
export const COST_FP_CONVERT = 0x12c
export const COST_AMO = 0x130
export const COST_CSR = 0x134
export const COST_FENCE = 0x138
export const COST_TRAP = 0x13c
export const COST_TRAP_RETURN = 0x140
export const COST_TLB_MISS = 0x144
export const COST_SATP = 0x148
export const COST_MMIO = 0x14c
export const COST_LINE_TRANSFER = 0x150
export const COST_UIPI = 0x154

/** Addresses (u64 each): 32 breakpoints; watchpoints as {address, length | kind << 32}, kind 1 read, 2 write. */
export const G_BREAKPOINTS = 0x200
export const MAX_BREAKPOINTS = 32
export const G_WATCHPOINTS = 0x300
export const MAX_WATCHPOINTS = 16
/** One bit per halfword of a page: some breakpoint has this page offset. 256 bytes. */
export const G_BREAKPOINT_OFFSETS = 0x400

// ---- extensions and stop reasons ---------------------------------------------------------------------------------------

export const EXT_N = 1
export const EXT_UINTC = 2
export const EXT_SSTC = 4

export const STOP_NONE = 0
/** The host limit was reached. */
export const STOP_LIMIT = 1
/** A device asked for it (power off, host input wanted). */
export const STOP_REQUESTED = 2
export const STOP_BREAKPOINT = 3
export const STOP_WATCHPOINT = 4
/** One instruction was stepped. */
export const STOP_STEPPED = 5
/** Every hart waits and nothing is scheduled that could wake one. */
export const STOP_IDLE = 6
/** A hart wrote a non-zero value to HTIF `tohost`. */
export const STOP_TOHOST = 7

// ---- HART: offsets from a hart's block ---------------------------------------------------------------------------------

/** x0..x31, then a slot that swallows writes to x0. */
export const H_X = 0x000
export const X_DISCARD = 32
export const H_F = 0x110
export const H_PC = 0x210
/** Instructions retired since reset (u64), and cycles beyond one per instruction, waiting included (i64): clock = both. */
export const H_RETIRED = 0x218
export const H_STALL = 0x220
/** The clock at which the hart must look up: end of round, timer, host limit; lowered to 0 to make it look at once (i64). */
export const H_LIMIT = 0x228
/** Data TLB of the current context and fetch table of the current privilege: linear-memory addresses (u32). */
export const H_TLB = 0x230
export const H_FETCH = 0x234
/** pc = H_BIAS + slot / 4 while the predecoded page of that slot runs (u64). */
export const H_BIAS = 0x238
/** 0 U, 1 S, 3 M (u32). */
export const H_PRIVILEGE = 0x240
/** 1 while in `wfi` (u32). */
export const H_WAITING = 0x244
/** 1 once started; a stopped hart does not run (u32). */
export const H_RUNNING = 0x248
/** Single-stepping: 1 armed, 2 done (u32). */
export const H_STEP = 0x24c
export const H_ID = 0x250
/** mstatus.FS as a byte of its own: 0 off .. 3 dirty. */
export const H_FS = 0x254
export const H_FFLAGS = 0x258
export const H_FRM = 0x25c
/** Reservation: physical address of the doubleword, or all ones (u64). */
export const H_RESERVATION = 0x260

export const H_MSTATUS = 0x268
export const H_MEDELEG = 0x270
export const H_MIDELEG = 0x278
export const H_MIE = 0x280
/** Pending bits set by software and by wires, apart (SEIP has both). */
export const H_MIP_SOFTWARE = 0x288
export const H_MIP_WIRES = 0x290
export const H_MTVEC = 0x298
export const H_MSCRATCH = 0x2a0
export const H_MEPC = 0x2a8
export const H_MCAUSE = 0x2b0
export const H_MTVAL = 0x2b8
export const H_MCOUNTEREN = 0x2c0
export const H_MENVCFG = 0x2c8
export const H_MCOUNTINHIBIT = 0x2d0
export const H_STVEC = 0x2d8
export const H_SSCRATCH = 0x2e0
export const H_SEPC = 0x2e8
export const H_SCAUSE = 0x2f0
export const H_STVAL = 0x2f8
export const H_SCOUNTEREN = 0x300
export const H_SENVCFG = 0x308
export const H_SATP = 0x310
export const H_STIMECMP = 0x318
export const H_MTIMECMP = 0x320
export const H_SEDELEG = 0x328
export const H_SIDELEG = 0x330
export const H_UTVEC = 0x338
export const H_USCRATCH = 0x340
export const H_UEPC = 0x348
export const H_UCAUSE = 0x350
export const H_UTVAL = 0x358
export const H_UTIMECMP = 0x360
export const H_SUIST = 0x368
export const H_SUIRS = 0x370
export const H_SUICFG = 0x378
export const H_REQUEST = 0x380
/** mcycle and minstret read as counter - offset; while inhibited the offset holds the frozen value. */
export const H_CYCLE_OFFSET = 0x388
export const H_INSTRET_OFFSET = 0x390
export const H_TSELECT = 0x398
export const H_MUCOUNTEREN = 0x3a0
export const H_MSCOUNTEREN = 0x3a8
/** 16 configuration bytes, 16 addresses (u64). */
export const H_PMPCFG = 0x3b0
export const H_PMPADDR = 0x3c0
/** Cycle at which waiting began (i64). */
export const H_WAIT_START = 0x448
/** Cycles spent waiting (i64). */
export const H_WAITED = 0x450
/** Cycle of this hart's next timer interrupt, derived from the compare registers (i64). */
export const H_TIMER_DEADLINE = 0x458
/** Last exception's side channel: 1 when the current instruction trapped (u32). */
export const H_FAULTED = 0x460
/** Where the debugger has stopped already: what that one instruction passes over, PASS_* or 0 (u32), and its address. */
export const H_SKIP = 0x464
export const PASS_BREAKPOINT = 1
/** The breakpoint too. */
export const PASS_WATCHPOINTS = 2
export const H_SKIP_ADDRESS = 0x468
/** The virtual address of the reservation (u64). */
export const H_RESERVATION_VIRTUAL = 0x470
/** 1 when the debugger stopped the hart between two check points: going on must not look up before the next one (u32). */
export const H_MIDWAY = 0x478
/** The low word of H_RETIRED that goes with H_SKIP_ADDRESS. */
export const H_SKIP_RETIRED = 0x47c
/** Slots for single instructions outside any predecoded page. */
export const H_SCRATCH = 0x480
/** TLB entries filled since the last flush: count (u32), then their addresses (u32 each). */
export const H_FILL_COUNT = 0x4c0
export const H_FILL_LOG = 0x4c4
export const FILL_LOG_CAPACITY = 512
/** End of what a snapshot keeps of the scalar state. */
export const H_STATE_END = 0xcc4
/**
 * Derived from the PMP registers: physical pages from FIRST up to END (u64 each) share one answer for S and U, whose access
 * bits are in ACCESS (u32). Empty while END is 0.
 */
export const H_PMP_FIRST = 0xcc8
export const H_PMP_END = 0xcd0
export const H_PMP_ACCESS = 0xcd8

/**
 * Data TLBs, one per context, direct-mapped: entries of 32 bytes
 *   +0  read tag   virtual page address | flags, all ones when empty (u64)
 *   +8  write tag  the same for stores
 *   +16 addend     linear-memory address = low 32 bits of the virtual address + addend (u32)
 *   +24 physical page address (u64)
 * A tag with a flag set never equals a page address, so the fast path misses and the slow path decides.
 */
export const H_TLBS = 0x4000
export const TLB_ENTRIES = 256
export const TLB_ENTRY_BYTES = 32
export const TLB_CONTEXT_BYTES = 0x2000
/** Contexts: user, supervisor with SUM = 0, supervisor with SUM = 1, machine (no translation). */
export const CONTEXT_USER = 0
export const CONTEXT_SUPERVISOR = 1
export const CONTEXT_SUPERVISOR_SUM = 2
export const CONTEXT_MACHINE = 3
/** Tag flags: the page holds predecoded code; a watchpoint lies in it. */
export const TAG_CODE = 1
export const TAG_WATCH = 2

/** Fetch tables by privilege (U, S, M at 2): entries of 16 bytes {virtual page address u64, first slot u32, unused u32}. */
export const H_FETCHES = 0xc000
export const FETCH_ENTRIES = 256
export const FETCH_TABLE_BYTES = 0x1000

// ---- predecoded code -----------------------------------------------------------------------------------------------------

/** A slot per halfword: {u8 operation, u8 rd, u8 rs1, u8 rs2, i32 immediate}. Operation 0: not decoded yet. */
export const SLOT_BYTES = 8
export const PAGE_SLOTS = 2048
/**
 * A predecoded page: its slots, then two sentinel slots, then the physical page address (u64), whether compiled regions contain code of it
 * (u32), and which of its halfwords they contain (a bit each).
 */
export const CODE_PAGE_SENTINEL = 16384
export const CODE_PAGE_ADDRESS = 16400
export const CODE_PAGE_COMPILED = 16408
export const CODE_PAGE_HALFWORDS = 16416
export const CODE_PAGE_BYTES = 16672
