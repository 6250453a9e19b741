import { describe, expect, it } from 'vitest';
import { bmpString, integer, octets, oid, sequence, setOf } from '../../src/certificate/write-der.ts';

const hex = (bytes: Buffer): string => bytes.toString('hex');

describe('DER', () => {
  const lengths: readonly (readonly [length: number, header: string])[] = [
    [0, '0400'],
    [127, '047f'],
    [128, '048180'],
    [255, '0481ff'],
    [256, '04820100'],
    [65_536, '0483010000'],
  ];
  it.each(lengths)('writes a length of %i', (length, header) => {
    expect(hex(octets(Buffer.alloc(length))).slice(0, header.length)).toBe(header);
  });

  const numbers: readonly (readonly [number: number, written: string])[] = [
    [0, '020100'],
    [3, '020103'],
    [127, '02017f'],
    [128, '02020080'],
    [10_000, '02022710'],
    [65_535, '020300ffff'],
  ];
  it.each(numbers)('writes %i so that it is not negative', (number, written) => {
    expect(hex(integer(number))).toBe(written);
  });

  it('writes object identifiers with arcs of several bytes', () => {
    expect(hex(oid('2.16.840.1.113894.746875.1.1'))).toBe('060c6086480186f966adca7b0101');
    expect(hex(oid('1.2.840.113549.1.5.13'))).toBe('06092a864886f70d01050d');
  });

  it('puts a set in the order of its bytes, and keeps that of a sequence', () => {
    expect(hex(setOf(octets(Buffer.of(2)), integer(1), octets(Buffer.of(1))))).toBe('3109020101040101040102');
    expect(hex(sequence(octets(Buffer.of(2)), integer(1)))).toBe('3006040102020101');
  });

  it('writes texts in UTF-16, pairs of surrogates included', () => {
    expect(hex(bmpString('aß🔑'))).toBe('1e08006100dfd83ddd11');
  });
});
