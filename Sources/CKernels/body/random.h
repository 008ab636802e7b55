// Philox4x32-10, sixteen blocks at a time. Source: J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011, doi:10.1145/2063384.2063405.

INLINE void multiply_long(words a, uint32_t factor, words *high, words *low) {
    long_words product = __builtin_convertvector(a, long_words) * (long_words)(uint64_t)factor;
    *high = __builtin_convertvector(product >> 32, words);
    *low = __builtin_convertvector(product, words);
}

/// The words of the blocks first ..< first + 16.
INLINE void philox(uint64_t key, uint64_t stream, uint64_t first, words counter[4]) {
    for (int lane = 0; lane < VECTOR; lane++) {
        counter[0][lane] = (uint32_t)(first + (uint64_t)lane);
        counter[1][lane] = (uint32_t)((first + (uint64_t)lane) >> 32);
    }
    counter[2] = (words)(uint32_t)stream;
    counter[3] = (words)(uint32_t)(stream >> 32);
    uint32_t low_key = (uint32_t)key, high_key = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++) {
        words first_high, first_low, second_high, second_low;
        multiply_long(counter[0], 0xD2511F53u, &first_high, &first_low);
        multiply_long(counter[2], 0xCD9E8D57u, &second_high, &second_low);
        counter[0] = second_high ^ counter[1] ^ (words)low_key;
        counter[1] = second_low;
        counter[2] = first_high ^ counter[3] ^ (words)high_key;
        counter[3] = first_low;
        low_key += 0x9E3779B9u;
        high_key += 0xBB67AE85u;
    }
}

static void random_uniform(uint64_t key, uint64_t stream, int64_t begin, int64_t end, float *output) {
    for (; begin < end; begin += VECTOR) {
        words counter[4];
        philox(key, stream, (uint64_t)begin, counter);
        int64_t count = end - begin < VECTOR ? end - begin : VECTOR;
        for (int64_t lane = 0; lane < count; lane++)
            for (int word = 0; word < 4; word++)
                *output++ = (float)(counter[word][lane] >> 8) * 0x1p-24f;
    }
}
