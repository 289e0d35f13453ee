import { AlmanacError } from '@almanac/domain'
import { createCipheriv, createDecipheriv, randomBytes, type CipherKey } from 'node:crypto'

/** Content as it lies in the database: `keyId` names the key that sealed it, null when none did. */
export interface Sealed {
  keyId: string | null
  bytes: Buffer
}

/** How content is written and read back; every byte of content goes through one of these. */
export interface Codec {
  seal(plain: Buffer): Sealed
  /** Throws CONFIG_INVALID when the key is not known, anything else when the bytes were changed. */
  open(sealed: Sealed): Buffer
}

/** Content as it is, for databases whose disks are encrypted or need not be. */
export const plainCodec: Codec = {
  seal: (plain) => ({ keyId: null, bytes: plain }),
  open: ({ keyId, bytes }) => {
    if (keyId !== null) throw unknownKey(keyId)
    return bytes
  },
}

const [nonceBytes, tagBytes] = [12, 16]

/** A 32-byte key and the name that is stored beside what it sealed. */
export interface ContentKey {
  id: string
  key: CipherKey
}

/**
 * AES-256-GCM: nonce, tag and ciphertext, in this order. Seals with `current`; opens what any of
 * `older` has sealed, and what was stored before there was a key.
 */
export function createAesCodec(current: ContentKey, older: readonly ContentKey[] = []): Codec {
  const keys = new Map([...older, current].map(({ id, key }) => [id, key]))
  return {
    seal(plain) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', current.key, nonce)
      const sealed = Buffer.concat([cipher.update(plain), cipher.final()])
      return { keyId: current.id, bytes: Buffer.concat([nonce, cipher.getAuthTag(), sealed]) }
    },
    open({ keyId, bytes }) {
      if (keyId === null) return bytes
      const key = keys.get(keyId)
      if (!key) throw unknownKey(keyId)
      const nonce = bytes.subarray(0, nonceBytes)
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
      decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes))
      const sealed = bytes.subarray(nonceBytes + tagBytes)
      return Buffer.concat([decipher.update(sealed), decipher.final()])
    },
  }
}

const unknownKey = (keyId: string): AlmanacError =>
  new AlmanacError('CONFIG_INVALID', {
    issues: [
      {
        field: 'content keys',
        message: 'the key that sealed stored content is not among them',
        value: keyId,
      },
    ],
  })
