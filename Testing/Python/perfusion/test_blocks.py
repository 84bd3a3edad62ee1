"""Block-wise products and sums against plain numpy, and what threads, cancel and errors do."""

import threading
from concurrent.futures import CancelledError

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.perfusion.blocks import BLOCK, for_blocks, log_signal, project, weighted_sums


@pytest.mark.parametrize("voxels", [1, 15, 16, 255, 512, 1000, 4096])
@pytest.mark.parametrize("rows", [1, 3, 4, 7, 30])
def test_products_are_those_of_plain_numpy(rows, voxels):
    random = np.random.default_rng(rows * voxels)
    weights = random.normal(size=(rows, 90)).astype(np.float32)
    block = random.normal(size=(90, voxels)).astype(np.float32)
    assert np.allclose(project(weights, block), weights @ block, atol=1e-4)
    chosen = random.random((2, voxels)).astype(np.float32)
    assert np.allclose(weighted_sums(block, chosen), block.astype(float) @ chosen.T, atol=1e-3)


def test_logarithm_of_any_type():
    for kind in (np.int16, np.uint8, np.float64):
        block = np.array([[1, 20, 0]], dtype=kind)
        out = np.empty(block.shape, np.float32)
        with np.errstate(divide="ignore"):
            assert np.allclose(log_signal(block, out), [[0, np.log(20), -np.inf]])


@pytest.mark.parametrize("threads", [1, 2, None])
def test_every_block_of_the_mask_is_visited_once(threads):
    mask = np.zeros(5 * BLOCK + 7, bool)
    mask[[3, 2 * BLOCK + 1, 5 * BLOCK + 2]] = True
    seen, lock = [], threading.Lock()

    def work(voxels, first, second):
        assert first.shape == second.shape == (6, voxels.stop - voxels.start)
        assert not np.shares_memory(first, second)
        with lock:
            seen.append(voxels.start)

    for_blocks(work, mask, 6, scratches=2, threads=threads)
    assert sorted(seen) == [0, 2 * BLOCK, 5 * BLOCK]


def test_a_sample_of_blocks_is_spread():
    seen = []
    for_blocks(lambda voxels, _: seen.append(voxels.start), np.ones(40 * BLOCK, bool), 2, most=8, threads=1)
    assert len(seen) == 8
    assert seen[-1] > 30 * BLOCK


def test_errors_of_the_work_are_raised_and_cancel_stops_it():
    mask = np.ones(50 * BLOCK, bool)
    with pytest.raises(ZeroDivisionError):
        for_blocks(lambda voxels, _: 1 / 0, mask, 2)
    done = []
    with pytest.raises(CancelledError):
        for_blocks(
            lambda voxels, _: done.append(threading.Event().wait(0.02)), mask, 2, cancelled=lambda: len(done) > 3
        )
    assert len(done) < 30
