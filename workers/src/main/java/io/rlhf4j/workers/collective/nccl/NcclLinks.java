package io.rlhf4j.workers.collective.nccl;

import io.rlhf4j.backend.cuda.DeviceGroup;
import io.rlhf4j.tensor.Backend;
import java.util.List;

/** Links by NCCL. */
record NcclLinks(DeviceGroup group) implements Links {
    /** How ranks come to have them. */
    static final Joining JOINING = new Joining() {
        @Override
        public boolean drives(Backend backend) {
            return DeviceGroup.drives(backend);
        }

        @Override
        public byte[] newIdentity() {
            return DeviceGroup.newIdentity();
        }

        @Override
        public Links join(Backend backend, byte[] identity, int rank, int worldSize) {
            return new NcclLinks(DeviceGroup.join(backend, identity, rank, worldSize));
        }
    };

    @Override
    public Backend backend() {
        return group.backend();
    }

    @Override
    public void begin(List<Move> moves) {
        group.together(() -> moves.forEach(this::ask));
    }

    private void ask(Move move) {
        switch (move.kind()) {
            case SEND -> group.send(move.tensor(), move.rank());
            case RECEIVE -> group.receive(move.tensor(), move.rank());
            case BROADCAST -> group.broadcast(move.tensor(), move.rank());
            case GATHER -> group.gather(move.tensor());
        }
    }

    @Override
    public boolean isReady() {
        return group.isReady();
    }

    @Override
    public boolean isDone() {
        return group.isDone();
    }

    @Override
    public void abort() {
        group.abort();
    }

    @Override
    public void close() {
        group.close();
    }
}
