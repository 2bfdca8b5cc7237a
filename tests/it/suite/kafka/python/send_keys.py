"""Sends a record for each key, with aiokafka's own partitioner: `send_keys.py BOOTSTRAP TOPIC < KEYS`.

Keys are lines in hexadecimal; the client chooses each partition.
"""

import asyncio
import sys

from aiokafka import AIOKafkaProducer


async def main(bootstrap, topic):
    keys = [bytes.fromhex(line.strip()) for line in sys.stdin]
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        sent = [await producer.send(topic, b"x", key=key) for key in keys]
        await asyncio.gather(*sent)


asyncio.run(main(*sys.argv[1:]))
