/** The registers of an SD card and its checksums (SD Physical Layer Simplified Specification 6.00, 4.5 and chapter 5). */

/** x^7 + x^3 + 1 over the command's first five bytes (4.5). */
export function crc7(bytes: readonly number[] | Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const feedback = ((crc >> 6) ^ (byte >> bit)) & 1
      crc = ((crc << 1) & 0x7f) ^ (feedback ? 0x09 : 0)
    }
  }
  return crc
}

/** x^16 + x^12 + x^5 + 1 over a block's data (4.5). */
export function crc16(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff
  }
  return crc
}

/** OCR: {31 powered up, 30 high capacity, 23:15 the voltages from 2.7 to 3.6 V} (5.1). */
export function operatingConditions(poweredUp: boolean, highCapacity: boolean): number[] {
  const high = (poweredUp ? 0x80 : 0) | (poweredUp && highCapacity ? 0x40 : 0)
  return [high, 0xff, 0x80, 0x00]
}

/** CID: maker 0x50, "PO", "POLLN", revision 1.0, serial number 1, January 2020 (5.2). */
export function cardIdentification(): Uint8Array {
  const cid = new Uint8Array(16)
  cid[0] = 0x50
  cid.set(new TextEncoder().encode('POPOLLN'), 1)
  cid[8] = 0x10
  cid[12] = 1
  cid.set([0x01, 0x41], 13) // {11:4 years after 2000, 3:0 month}
  return closed(cid)
}

/** CSD version 1 (5.3.2) or, for high capacity, version 2 (5.3.3). Erase and switch commands are left out of CCC. */
export function cardSpecificData(sectors: number, highCapacity: boolean): Uint8Array {
  const csd = new Uint8Array(16)
  const put = (high: number, low: number, value: number) => {
    for (let bit = low; bit <= high; bit++) if (Math.floor(value / 2 ** (bit - low)) % 2) csd[15 - (bit >> 3)] |= 1 << (bit & 7)
  }
  put(127, 126, highCapacity ? 1 : 0)
  put(119, 112, 0x0e) // TAAC: 1 ms
  put(103, 96, 0x32) // TRAN_SPEED: 25 MHz
  put(95, 84, 0x115) // CCC: basic, block read, block write, application
  put(46, 46, 1) // ERASE_BLK_EN
  put(45, 39, 0x7f) // SECTOR_SIZE
  put(28, 26, 2) // R2W_FACTOR: writes take 4 times as long
  if (highCapacity) {
    put(83, 80, 9)
    put(69, 48, Math.ceil(sectors / 1024) - 1) // C_SIZE: units of 512 KiB less one
    put(25, 22, 9)
  } else {
    const { blockBits, multiplier, size } = standardSize(sectors)
    put(83, 80, blockBits)
    put(79, 79, 1) // READ_BL_PARTIAL
    put(73, 62, size)
    put(49, 47, multiplier)
    put(25, 22, blockBits)
  }
  return closed(csd)
}

/** What the CSD says the card holds, in bytes: the sectors rounded up to the unit in which it counts. */
export function cardCapacity(sectors: number, highCapacity: boolean): number {
  const { blockBits, multiplier } = standardSize(sectors)
  const unit = highCapacity ? 0x8_0000 : 2 ** (multiplier + 2 + blockBits)
  return Math.ceil((sectors * 512) / unit) * unit
}

/** Capacity is (size + 1) * 2^(multiplier + 2) * 2^blockBits, the smallest such that holds the sectors (5.3.2). */
function standardSize(sectors: number): { blockBits: number; multiplier: number; size: number } {
  for (let blockBits = 9; blockBits <= 11; blockBits++) {
    for (let multiplier = 0; multiplier <= 7; multiplier++) {
      const size = Math.ceil((sectors * 512) / 2 ** (multiplier + 2 + blockBits)) - 1
      if (size < 4096) return { blockBits, multiplier, size }
    }
  }
  return { blockBits: 11, multiplier: 7, size: 4095 }
}

/** SCR: SD 2.00, no security, one and four wires (5.6). */
export const SD_CONFIGURATION = Uint8Array.of(0x02, 0x05, 0, 0, 0, 0, 0, 0)

/** Closes a register by its CRC7. */
function closed(register: Uint8Array): Uint8Array {
  register[15] = (crc7(register.subarray(0, 15)) << 1) | 1
  return register
}
