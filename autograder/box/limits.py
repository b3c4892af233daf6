"""How much of the machine one submission may use."""

from dataclasses import dataclass

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """Seconds of wall clock, and bytes.

    `memory` bounds the sum of the box's processes where a control group can be had;
    `process_memory` bounds the data of each process everywhere (TensorFlow needs 0.8 GB), and
    `address_space` what it maps besides, shared memory above all (TensorFlow needs 2.8 GB).
    `spare_seconds` are for all those cells together whose names no exercise uses.
    """

    start_seconds: float = 60.0
    cell_seconds: float = 60.0
    spare_seconds: float = 180.0
    call_seconds: float = 20.0
    total_seconds: float = 600.0
    memory: int = 3072 * MIB
    process_memory: int = 2048 * MIB
    address_space: int = 6144 * MIB
    processes: int = 256
    file_size: int = 256 * MIB
    home_size: int = 256 * MIB
    shared_memory: int = 64 * MIB
    channel_bytes: int = 64 * MIB
    # Of processor time that this process may spend on what came back, where no box bounds it.
    exercise_look_seconds: float = 30.0
    look_seconds: float = 120.0
